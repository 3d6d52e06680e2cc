// The server's side of the inference process: started when first asked, started again when it died, many requests under way at once.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

/// <summary>The inference process could not answer; asking again may help.</summary>
public sealed class InferenceUnavailableException(string message) : Exception(message);

/// <summary>How inference is done.</summary>
/// <param name="MostItems">Items in one batch.</param>
/// <param name="MemoryBytes">Bytes of weights that are kept loaded.</param>
public sealed record InferenceOptions(int MostItems = 64, long MemoryBytes = 2L << 30, string Device = "auto");

/// <summary>Embeds items by the store's encoders in a process of its own. Thread-safe.</summary>
public sealed class InferenceHost(Store store, WorkerCommand program, InferenceOptions options) : IAsyncDisposable
{
    private const int MostUnderWay = 256;

    private readonly SemaphoreSlim _places = new(MostUnderWay);
    private readonly Lock _gate = new();
    private Running? _running;
    private long _lastId;
    private bool _isOver;

    /// <summary>Requests that were answered, and items in them.</summary>
    public (long Requests, long Items) Answered => (Interlocked.Read(ref _requests), Interlocked.Read(ref _items));

    private long _requests;
    private long _items;

    /// <summary>Vectors of the items, in their order, at each of the levels.</summary>
    /// <exception cref="BadRequestException">An item is not what the encoder reads, or there is no such level.</exception>
    /// <exception cref="InferenceUnavailableException">The process died over it, or more is under way than it can do.</exception>
    public async Task<IReadOnlyList<LevelVectors>> EmbedAsync(EncoderManifest encoder, IReadOnlyList<string> levels, IReadOnlyList<InferenceInput> items, CancellationToken stop)
    {
        var known = encoder.Levels.Select(level => level.Name).ToList();
        var problems = levels.Where(level => !known.Contains(level)).Select(level => $"Encoder '{encoder.Name}' has no level '{level}'; it has: {string.Join(", ", known)}.").ToList();
        if (levels.Count == 0) problems.Add("Ask for at least one level.");
        if (items.Count == 0) problems.Add("There is no item to embed.");
        BadRequestException.ThrowIfAny(problems);
        var vectors = await AskAsync(encoder.Name, encoder.EncoderId, levels, items, stop);
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _items, items.Count);
        return vectors;
    }

    /// <summary>Lets the encoder's memory go.</summary>
    public async Task UnloadAsync(string encoder, CancellationToken stop)
    {
        if (_running is not null) await AskAsync(encoder, "", [InferenceFrames.UnloadLevel], [], stop);
    }

    private async Task<IReadOnlyList<LevelVectors>> AskAsync(string encoder, string encoderId, IReadOnlyList<string> levels, IReadOnlyList<InferenceInput> items, CancellationToken stop)
    {
        if (!await _places.WaitAsync(TimeSpan.FromSeconds(30), stop)) throw new InferenceUnavailableException($"{MostUnderWay} requests are under way; try again later.");
        try
        {
            var request = new InferenceRequest(Interlocked.Increment(ref _lastId), encoder, encoderId, levels, items);
            var reply = await Process().AskAsync(request.Id, InferenceFrames.Write(request), stop);
            BadRequestException.ThrowIfAny(reply.Problems);
            return reply.Failure is { } failure ? throw new InferenceUnavailableException(failure) : reply.Vectors;
        }
        finally { _places.Release(); }
    }

    private Running Process()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isOver, this);
            if (_running is { HasEnded: false }) return _running;
            _running?.Dispose();
            return _running = new(program, store, options);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Running? running;
        lock (_gate) (_isOver, running) = (true, _running);
        if (running is not null) await running.EndAsync();
        _places.Dispose();
    }

    private sealed class Running : IDisposable
    {
        private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

        private readonly Process _process;
        private readonly ConcurrentDictionary<long, TaskCompletionSource<InferenceReply>> _asked = new();
        private readonly SemaphoreSlim _turn = new(1);
        private readonly Task _reading;
        private volatile bool _hasEnded;
        private string _errors = "";

        internal Running(WorkerCommand program, Store store, InferenceOptions options)
        {
            var start = program.On(store, ["infer", "--batch", options.MostItems.ToString(CultureInfo.InvariantCulture), "--memory", options.MemoryBytes.ToString(CultureInfo.InvariantCulture), "--device", options.Device]);
            _process = System.Diagnostics.Process.Start(start) ?? throw new InvalidOperationException($"{program.FileName} did not start.");
            _process.ErrorDataReceived += (_, line) => { if (line.Data is not null) _errors = (_errors + "\n" + line.Data)[^Math.Min(2000, _errors.Length + 1 + line.Data.Length)..]; };
            _process.BeginErrorReadLine();
            _reading = Task.Run(ReadAsync);
        }

        internal bool HasEnded => _hasEnded;

        internal async Task<InferenceReply> AskAsync(long id, byte[] frame, CancellationToken stop)
        {
            var answer = new TaskCompletionSource<InferenceReply>(TaskCreationOptions.RunContinuationsAsynchronously);
            _asked[id] = answer;
            try
            {
                await _turn.WaitAsync(stop);
                try
                {
                    // Once begun a frame is written to its end.
                    await _process.StandardInput.BaseStream.WriteAsync(frame, CancellationToken.None);
                    await _process.StandardInput.BaseStream.FlushAsync(CancellationToken.None);
                }
                catch (IOException) { throw Gone(); }
                finally { _turn.Release(); }
                if (_hasEnded) throw Gone();
                return await answer.Task.WaitAsync(stop);
            }
            finally { _asked.TryRemove(id, out _); }
        }

        private async Task ReadAsync()
        {
            try
            {
                while (await InferenceFrames.NextAsync(_process.StandardOutput.BaseStream, CancellationToken.None) is { } frame)
                {
                    var reply = InferenceFrames.ReadReply(frame);
                    if (_asked.TryGetValue(reply.Id, out var answer)) answer.TrySetResult(reply);
                }
            }
            catch (Exception error) when (error is IOException or InvalidDataException) { }
            _hasEnded = true;
            foreach (var answer in _asked.Values) answer.TrySetException(Gone());
        }

        private InferenceUnavailableException Gone() => new($"The inference process ended unexpectedly; the next request starts another. {_errors.Trim()}".Trim());

        internal async Task EndAsync()
        {
            _process.StandardInput.Close();
            try { await _process.WaitForExitAsync(new CancellationTokenSource(_patience).Token); }
            catch (OperationCanceledException) { }
            Dispose();
            await _reading;
        }

        public void Dispose()
        {
            try { if (!_process.HasExited) _process.Kill(entireProcessTree: true); }
            catch (InvalidOperationException) { }
            _process.Dispose();
        }
    }
}
