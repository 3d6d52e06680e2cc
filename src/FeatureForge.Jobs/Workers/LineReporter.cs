// A stage's reports, as lines to the supervisor. Called from several threads of a stage.
using FeatureForge.Data;

namespace FeatureForge.Jobs;

internal sealed class LineReporter(TextWriter output) : IRunReporter
{
    private readonly Lock _gate = new();

    public void Progress(RunProgress progress) => Write(new() { Type = WorkerLineType.Progress, Progress = progress });

    public void Log(string level, string message) => Write(new() { Type = WorkerLineType.Log, Level = level, Message = message });

    public void Metric(long step, string name, double value) => Write(new() { Type = WorkerLineType.Metric, Step = step, Name = name, Value = value });

    public void RewindMetrics(long step) => Write(new() { Type = WorkerLineType.Rewind, Step = step });

    internal void Write(WorkerLine line)
    {
        var json = line.ToJson();
        lock (_gate)
        {
            output.Write(json);
            output.Write('\n');
            output.Flush();
        }
    }
}
