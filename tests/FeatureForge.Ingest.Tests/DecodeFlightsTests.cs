// Who is to blame when a worker ends by a signal, and what becomes of the file.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class DecodeFlightsTests : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();
    private readonly FixedTimeProvider _time = new();
    private int _ended;

    public void Dispose() => _folder.Dispose();

    private DecodeFlights Open() => DecodeFlights.Open(_folder.Path, 3, _time, () => _ended++);

    /// <summary>A worker that dies while these are under way: nothing is disposed, as nothing would be.</summary>
    private bool Die(bool isCrash, params int[] keys)
    {
        var flights = Open();
        foreach (var key in keys) flights.Begin((UInt128)key, Minute);
        return DecodeFlights.NoteEnd(_folder.Path, isCrash);
    }

    private FlightVerdict VerdictOf(int key)
    {
        using var flights = Open();
        return flights.VerdictOf((UInt128)key);
    }

    [Fact]
    public void All_that_are_under_way_at_a_crash_are_suspects()
    {
        Assert.True(Die(isCrash: true, 1, 2));

        Assert.Equal([FlightVerdict.Suspect, FlightVerdict.Suspect, FlightVerdict.Clear], new[] { 1, 2, 3 }.Select(VerdictOf));
    }

    [Fact]
    public void A_suspect_that_crashes_alone_is_guilty_and_the_others_are_not()
    {
        Die(isCrash: true, 1, 2);
        Assert.True(Die(isCrash: true, 2));

        Assert.Equal([FlightVerdict.Suspect, FlightVerdict.Crashed], new[] { 1, 2 }.Select(VerdictOf));
    }

    [Fact]
    public void The_first_crash_convicts_nobody_even_alone()
    {
        Die(isCrash: true, 1);

        Assert.Equal(FlightVerdict.Suspect, VerdictOf(1));
    }

    [Fact]
    public void A_kill_starts_no_worker_at_once_and_counts_only_when_it_comes_again_and_again()
    {
        Assert.False(Die(isCrash: false, 1, 2));
        Assert.False(Die(isCrash: false, 1));
        Assert.Equal(FlightVerdict.Suspect, VerdictOf(1));

        Die(isCrash: false, 1);

        Assert.Equal([FlightVerdict.Crashed, FlightVerdict.Suspect], new[] { 1, 2 }.Select(VerdictOf));
    }

    [Fact]
    public void A_crash_while_nothing_was_decoded_is_no_decoders_fault()
    {
        var flights = Open();
        flights.Begin((UInt128)1, Minute).Dispose();

        Assert.False(DecodeFlights.NoteEnd(_folder.Path, isCrash: true));
        Assert.False(DecodeFlights.NoteEnd(_folder.Path, isCrash: true));
        Assert.Equal(FlightVerdict.Clear, VerdictOf(1));
    }

    [Fact]
    public void A_decoder_that_does_not_return_ends_the_process_and_is_known_afterwards()
    {
        var flights = Open();
        flights.Begin((UInt128)1, Minute);
        Look(flights, Minute + DecodeFlights.Grace - TimeSpan.FromSeconds(2));
        flights.Begin((UInt128)2, Minute);
        Assert.Equal(0, _ended);

        Look(flights, TimeSpan.FromSeconds(4));

        Assert.NotEqual(0, _ended);
        Assert.True(DecodeFlights.NoteEnd(_folder.Path, isCrash: false));
        Assert.Equal([FlightVerdict.Hung, FlightVerdict.Clear], new[] { 1, 2 }.Select(VerdictOf));
    }

    [Fact]
    public void Time_in_which_the_process_was_frozen_does_not_count()
    {
        using var flights = Open();
        flights.Begin((UInt128)1, Minute);
        _time.Advance(TimeSpan.FromHours(1));

        flights.EndIfHung();

        Assert.Equal(0, _ended);
    }

    [Fact]
    public async Task A_run_quarantines_the_guilty_and_keeps_the_suspects()
    {
        using var store = new TemporaryStore();
        using var source = new TemporaryFolder();
        foreach (var name in (string[])["guilty", "hung", "suspect", "other"]) source.Write($"{name}.txt", $"The text of {name}.");
        var keys = Directory.EnumerateFiles(source.Path).ToDictionary(path => Path.GetFileNameWithoutExtension(path), path => StagedPart.ShortKey($"{FileUri.Of(path)}\n{Path.GetFileName(path)}"));
        var staging = store.Store.StagingFolder("r");
        void End(bool isCrash, params string[] names)
        {
            var flights = DecodeFlights.Open(staging, 3, _time, () => { });
            foreach (var name in names) flights.Begin(keys[name], Minute);
            if (!isCrash) Look(flights, 2 * Minute);
            DecodeFlights.NoteEnd(staging, isCrash);
        }
        End(isCrash: true, "guilty", "suspect");
        End(isCrash: true, "guilty");
        End(isCrash: false, "hung");

        var found = await Ingested.RunAsync(store, new IngestSpec { Sources = [source.Path], Corpus = Ingested.Corpus }, store.Context("r"));

        Assert.Equal(["other.txt", "suspect.txt"], found.Items.Select(item => item.Path).Order());
        Assert.Equal(RejectionCode.DecoderCrashed, found.Bad("guilty.txt").Code);
        Assert.Equal(RejectionCode.TimedOut, found.Bad("hung.txt").Code);
        Assert.All(found.Quarantine, row => Assert.NotNull(row.ContentSha256));
    }

    private void Look(DecodeFlights flights, TimeSpan passed)
    {
        for (var seconds = 0; seconds < passed.TotalSeconds; seconds++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            flights.EndIfHung();
        }
    }
}
