// Progress of algorithms that count (done, total) per phase, as progress of the run.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

internal sealed class PhaseProgress(RunContext context)
{
    private string _phase = "";
    private long _total;
    private ProgressMeter? _meter;

    internal void Report(string phase, int done, int total)
    {
        if (phase != _phase || total != _total || done < _meter!.Done)
        {
            (_phase, _total) = (phase, total);
            _meter = new(context, phase, phase is "neighbours" or "assignment" ? "vectors" : "steps", total);
        }
        _meter.Add(done - _meter.Done);
    }
}
