// One candidate to one outcome. No decoder's failure leaves here: bad data becomes a Rejection.
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Ingest;

/// <summary>Which prepared forms to make while the decoded data is at hand.</summary>
/// <param name="Measures">Quality scores, signatures and languages are wanted too.</param>
internal sealed record PreparedForms(IReadOnlyList<int> ImageSizes, int AudioRate, bool Measures = true);

/// <summary>Decodes, checks and describes candidates; any number of threads may use it at once.</summary>
internal sealed class ItemDecoder(IngestSpec spec, string scratchFolder, TimeProvider time)
{
    private const long ParallelImageBytes = 64 << 20;

    private readonly DateTimeOffset _at = time.GetUtcNow();

    /// <param name="isKnown">Whether the corpus or the run so far has this item id.</param>
    /// <param name="decoded">What shards have decoded already; null: nothing.</param>
    /// <param name="isKnownBad">Whether this path and SHA-256 is in quarantine already.</param>
    /// <param name="alone">Every earlier finding is settled: memory up to the limits may be used.</param>
    /// <param name="verdict">What earlier workers' ends say about the finding.</param>
    public Outcome Decode(Finding finding, PreparedForms forms, Func<string, bool> isKnown, Func<string, string?, bool> isKnownBad, DecodedItems? decoded, bool alone, FlightVerdict verdict, CancellationToken stop)
    {
        var outcome = verdict == FlightVerdict.Suspect && !alone ? new() { Kind = OutcomeKind.TooBigForNow, Finding = finding } : DecodeOnce(finding, forms, isKnown, isKnownBad, decoded, alone, verdict, stop);
        if (finding.Candidate is FileCandidate { IsDownload: true, FilePath: { } download } && outcome.Kind != OutcomeKind.TooBigForNow) File.Delete(download);
        return outcome;
    }

    /// <summary>How long the finding may take before it is asked to stop.</summary>
    public TimeSpan LimitOf(Finding finding) => TimeSpan.FromSeconds(spec.Limits.SecondsFor(finding.Candidate is { } candidate ? ByteSize(candidate) ?? 0 : 0));

    private Outcome DecodeOnce(Finding finding, PreparedForms forms, Func<string, bool> isKnown, Func<string, string?, bool> isKnownBad, DecodedItems? decoded, bool alone, FlightVerdict verdict, CancellationToken stop)
    {
        if (finding.Rejection is { } rejection)
            return new() { Kind = isKnownBad(rejection.Path, rejection.ContentSha256) ? OutcomeKind.KnownRejection : OutcomeKind.Rejected, Finding = finding, Rejection = rejection };

        var candidate = finding.Candidate!;
        string? sha256 = null;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var seconds = LimitOf(finding).TotalSeconds;
        deadline.CancelAfter(LimitOf(finding));
        try
        {
            sha256 = Sha256(candidate);
            var id = sha256[..32];
            if (isKnown(id)) return new() { Kind = OutcomeKind.KnownItem, Finding = finding, ItemId = id };
            if (isKnownBad(candidate.Path, sha256)) return new() { Kind = OutcomeKind.KnownRejection, Finding = finding };
            if (decoded?.Find(finding, sha256) is { } there)
                return there.Code is { } rejected ? Bad(rejected, there.Reason!) : Restored(finding, there, id) with { Sha256 = sha256 };
            if (verdict == FlightVerdict.Crashed)
                return Bad(RejectionCode.DecoderCrashed, "Decoding it, and nothing else, ended the worker process by a signal. Convert it with another program, and report the file to us or to the decoder's makers.");
            if (verdict == FlightVerdict.Hung)
                return Bad(RejectionCode.TimedOut, $"Its decoder did not return within {seconds:0.###} s, the limit for its size, nor {DecodeFlights.Grace.TotalSeconds:0} s after it had been asked to stop; its process was ended. Convert it with another program.");
            var item = candidate switch
            {
                PixelsCandidate pixels => FromPixels(finding, pixels, id, forms),
                RowCandidate row => FromRow(finding, row, id, forms),
                FileCandidate file => FromFile(finding, file, id, forms, alone, deadline.Token),
                _ => throw new InvalidOperationException($"No decoder for {candidate.GetType().Name}."),
            };
            spec.Quality.ThrowIfDropped(item.Row!, spec.DropIssues);
            return item with { Sha256 = sha256 };
        }
        catch (TooBigForNowException) when (!alone)
        {
            return new() { Kind = OutcomeKind.TooBigForNow, Finding = finding };
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return Bad(RejectionCode.TimedOut, $"Decoding did not finish within {seconds:0.###} s, the limit for its size. Try it alone, or raise the limit (--seconds-per-file).");
        }
        catch (MediaRejectedException error)
        {
            return Bad(error.Code, error.Message);
        }
        catch (IOException error) when (DiskFullException.IsFull(error))
        {
            // The run's own disk, where recordings are unpacked: not the file's fault.
            throw DiskFullException.Of(scratchFolder, error);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            return Bad(RejectionCode.Unreadable, $"It cannot be read: {error.Message}");
        }
        catch (OutOfMemoryException)
        {
            return Bad(RejectionCode.TooLarge, "Decoding it needs more memory than there is.");
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return Bad(RejectionCode.Malformed, $"Its decoder failed: {error.Message}");
        }

        Outcome Bad(RejectionCode code, string reason) => new()
        {
            Kind = OutcomeKind.Rejected,
            Finding = finding,
            Rejection = new(candidate.Path, candidate.SourceUri, ByteSize(candidate), sha256, code == RejectionCode.LowQuality ? "quality" : "decode", code, reason, 1, _at),
        };
    }

    // As the shard found it; what the source says of it, and its bytes, are at hand here.
    private Outcome Restored(Finding finding, DecodedItem item, string id)
    {
        var content = finding.Candidate switch
        {
            PixelsCandidate pixels => pixels.Pixels,
            RowCandidate row => row.Utf8,
            FileCandidate file => KeepsPlace(file) ? null : file.Bytes,
            _ => throw new InvalidOperationException($"No decoder for {finding.Candidate!.GetType().Name}."),
        };
        return new()
        {
            Kind = OutcomeKind.Item,
            Finding = finding,
            ItemId = id,
            Images = item.Images,
            Samples = item.Samples,
            Row = Row(finding.Candidate, id, item.Modality, item.MediaType, content) with
            {
                Text = item.Text,
                ContentIsText = item.ContentIsText,
                Width = item.Width,
                Height = item.Height,
                Channels = item.Channels,
                DurationMs = item.DurationMs,
                SampleRate = item.SampleRate,
                Characters = item.Characters,
                Language = item.Language,
                Quality = item.Quality,
                Signature = item.Signature,
            },
        };
    }

    private bool KeepsPlace(FileCandidate file) => file.Bytes == null || (spec.Reference && file.CanBeReferenced);

    private static string Sha256(Candidate candidate) => candidate switch
    {
        PixelsCandidate pixels => ContentId.Sha256(pixels.Pixels),
        RowCandidate row => ContentId.Sha256(row.Utf8),
        FileCandidate file => new MediaContent(file.Bytes, file.FilePath).Sha256(),
        UnchangedCandidate unchanged => unchanged.Sha256,
        _ => throw new InvalidOperationException($"No bytes in {candidate.GetType().Name}."),
    };

    private static long? ByteSize(Candidate candidate) => candidate switch
    {
        FileCandidate file => file.ByteSize,
        PixelsCandidate pixels => pixels.Pixels.Length,
        RowCandidate row => row.Utf8.Length,
        _ => null,
    };

    private ItemRow Row(Candidate candidate, string id, Modality modality, string mediaType, byte[]? content) => new()
    {
        ItemId = id,
        Modality = modality,
        SourceUri = candidate.SourceUri,
        Path = candidate.Path,
        MediaType = mediaType,
        ByteSize = ByteSize(candidate) ?? 0,
        Content = content,
        Metadata = candidate.Metadata,
        IngestedAt = _at,
    };

    private Outcome FromPixels(Finding finding, PixelsCandidate pixels, string id, PreparedForms forms)
    {
        var image = RawPixels.Decode(pixels.Pixels, pixels.Width, pixels.Height, pixels.Channels, forms.ImageSizes, forms.Measures);
        return FromImage(finding, Row(pixels, id, Modality.Image, RawPixels.MediaType, pixels.Pixels), image);
    }

    private Outcome FromRow(Finding finding, RowCandidate row, string id, PreparedForms forms)
    {
        var text = TextDecoder.Check(spec.StripMarkup ? Markup.Strip(row.Text, row.MediaType) : row.Text, spec.Limits, forms.Measures);
        return FromText(finding, Row(row, id, Modality.Text, row.MediaType, row.Utf8), spec.StripMarkup ? text : text with { Utf8 = row.Utf8 });
    }

    private Outcome FromFile(Finding finding, FileCandidate file, string id, PreparedForms forms, bool alone, CancellationToken stop)
    {
        var content = new MediaContent(file.Bytes, file.FilePath);
        var modality = file.Format.Modality ?? Modality.Text;
        var row = Row(file, id, modality, file.Format.MediaType, KeepsPlace(file) ? null : file.Bytes);
        switch (modality)
        {
            case Modality.Image:
                using (var data = file.Bytes != null ? SKData.CreateCopy(file.Bytes) : SKData.Create(file.FilePath))
                    return FromImage(finding, row, ImageDecoder.Decode(data, file.Format, forms.ImageSizes, spec.Limits, alone ? long.MaxValue : ParallelImageBytes, forms.Measures));
            case Modality.Audio:
                var audio = AudioDecoder.Decode(content, file.Format, forms.AudioRate, spec.Limits with { SecondsPerFile = spec.Limits.SecondsFor(file.ByteSize) }, long.MaxValue, scratchFolder, stop);
                return new()
                {
                    Kind = OutcomeKind.Item,
                    Finding = finding,
                    ItemId = id,
                    Row = row with { DurationMs = audio.DurationMs, SampleRate = audio.SampleRate, Channels = audio.Channels, Quality = audio.Quality.Scores, Signature = audio.Quality.Signature },
                    Samples = audio.Samples,
                };
            default:
                if (file.Format.MediaType == PdfText.MediaType)
                {
                    if (file.ByteSize > ParallelImageBytes / 4 && !alone) throw new TooBigForNowException();
                    return FromText(finding, row, TextDecoder.Check(PdfText.Read(content, spec.Limits, stop), spec.Limits, forms.Measures));
                }
                // Four bytes are the longest character of UTF-8: more cannot pass the limit of characters.
                if (file.ByteSize > 4L * spec.Limits.TextCharacters) throw new MediaRejectedException(RejectionCode.TooLarge, $"The document has {file.ByteSize} bytes; the limit is {spec.Limits.TextCharacters} characters. Split it.");
                if (file.ByteSize > ParallelImageBytes / 4 && !alone) throw new TooBigForNowException();
                var text = TextDecoder.Decode(file.Bytes ?? File.ReadAllBytes(file.FilePath!), spec.Limits, spec.StripMarkup ? file.Format.MediaType : null, forms.Measures);
                return FromText(finding, row with { MediaType = file.Format.Kind == MediaKind.Other ? "text/plain" : row.MediaType }, text);
        }
    }

    private static Outcome FromImage(Finding finding, ItemRow row, DecodedImage image) => new()
    {
        Kind = OutcomeKind.Item,
        Finding = finding,
        ItemId = row.ItemId,
        Row = row with { Width = image.Width, Height = image.Height, Channels = image.Channels, Quality = image.Quality.Scores, Signature = image.Quality.Signature },
        Images = image.Forms,
    };

    private static Outcome FromText(Finding finding, ItemRow row, DecodedText text)
    {
        // What is stored anyway need not be kept a second time.
        var isContent = row.Content is not null && row.Content == text.Utf8;
        return new()
        {
            Kind = OutcomeKind.Item,
            Finding = finding,
            ItemId = row.ItemId,
            Row = row with { Text = isContent ? null : text.Text, ContentIsText = isContent, Characters = text.Characters, Language = text.Language, Quality = text.Quality.Scores, Signature = text.Quality.Signature },
        };
    }
}
