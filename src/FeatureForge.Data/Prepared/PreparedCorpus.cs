namespace FeatureForge.Data;

/// <summary>Writes one prepared Arrow part (streams; call exactly one of the Add methods, by modality).</summary>
public sealed class PreparedPartWriter : IDisposable
{
    public PreparedPartWriter(string path, PreparationSpec preparation) => throw new NotImplementedException();
    public long Rows => throw new NotImplementedException();
    /// <summary>pixels: [3, S, S] uint8, channel first; source size in pixels.</summary>
    public void AddImage(string itemId, int sourceWidth, int sourceHeight, ReadOnlySpan<byte> pixels) => throw new NotImplementedException();
    /// <summary>Mono samples at the preparation's rate.</summary>
    public void AddAudio(string itemId, int durationMs, ReadOnlySpan<short> samples) => throw new NotImplementedException();
    public void AddText(string itemId, string text) => throw new NotImplementedException();
    /// <summary>Writes the footer; a part without it is not whole.</summary>
    public void Complete() => throw new NotImplementedException();
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>All prepared parts of a corpus, memory-mapped; thread-safe to read.</summary>
public sealed class PreparedCorpus : IDisposable
{
    public static PreparedCorpus Open(Store store, string corpus, PreparationSpec preparation) => throw new NotImplementedException();
    public PreparationSpec Preparation => throw new NotImplementedException();
    public int Count => throw new NotImplementedException();
    /// <summary>Item number ranges per part, in part order: extraction's units of work.</summary>
    public IReadOnlyList<PreparedPart> Parts => throw new NotImplementedException();
    public string ItemId(int item) => throw new NotImplementedException();
    public (int Width, int Height) SourceSize(int item) => throw new NotImplementedException();
    /// <summary>[3, S, S] uint8.</summary>
    public ReadOnlySpan<byte> Pixels(int item) => throw new NotImplementedException();
    public ReadOnlySpan<short> Samples(int item) => throw new NotImplementedException();
    public int DurationMs(int item) => throw new NotImplementedException();
    public string Text(int item) => throw new NotImplementedException();
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>Items [First, First + Count) come from part number <paramref name="Number"/>.</summary>
public sealed record PreparedPart(int Number, int First, int Count);
