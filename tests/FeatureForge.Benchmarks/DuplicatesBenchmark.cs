// How well near duplicates are found: copies of real items, each altered in one way, are ingested behind their originals.
//   ingest-duplicates [set ...]        clothing-photos, cifar10, 20newsgroups, ag-news, esc10
//   ingest-duplicates index            memory and time of the index with a million unrelated items of each kind
// Recall: copies whose near_duplicate_of leads to their original. Precision: of the marked copies, those that lead to their own
// original. Originals that are marked among themselves are listed as found: some are true duplicates. A mirror image is expected to be
// another picture. The last table says what measuring costs beside decoding.
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using FeatureForge.Data;
using FeatureForge.Ingest;
using SkiaSharp;

namespace FeatureForge.Benchmarks;

internal static class DuplicatesBenchmark
{
    private const string Originals = "a-originals";
    private static readonly string _datasets = Environment.GetEnvironmentVariable("FEATUREFORGE_DATASETS") ?? Path.GetFullPath("../shared/datasets");

    internal static async Task<int> RunAsync(string[] sets, TextWriter output)
    {
        if (sets is ["index"]) return await FillAsync(output);
        await output.WriteLineAsync("| set | copies | count | recall | precision |\n|---|---|---:|---:|---:|");
        var costs = new List<string>();
        foreach (var set in sets.Length > 0 ? sets : ["clothing-photos", "cifar10", "20newsgroups", "ag-news", "esc10"])
        {
            var scratch = Directory.CreateTempSubdirectory("featureforge-duplicates-");
            try
            {
                var files = Path.Combine(scratch.FullName, "files");
                await MakeCopiesAsync(set, files, Path.Combine(scratch.FullName, "unpacked"));
                var items = await IngestAsync(files, Path.Combine(scratch.FullName, "store"));
                await ReportAsync(set, items, output);
                costs.Add(Cost(set, items));
            }
            finally
            {
                scratch.Delete(recursive: true);
            }
        }
        await output.WriteLineAsync("\n| set | decoding and measuring, ms per item | of it measuring | share |\n|---|---:|---:|---:|\n" + string.Join('\n', costs));
        return 0;
    }

    private static async Task<int> FillAsync(TextWriter output)
    {
        await output.WriteLineAsync("| a million | bytes per item | µs per item, 10th and last tenth |\n|---|---:|---:|");
        foreach (var (name, kind, bytes) in new[] { ("pictures", ImageSignature.Kind, ImageSignature.Bytes), ("documents", SketchSignature.Text, SketchSignature.TextBytes), ("recordings", SketchSignature.Sound, SketchSignature.SoundBytes) })
        {
            var random = new Random(1);
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var duplicates = new NearDuplicates(new());
            var (id, times) = (new byte[16], new double[10]);
            for (var tenth = 0; tenth < 10; tenth++)
            {
                var clock = Stopwatch.StartNew();
                for (var i = 0; i < 100_000; i++)
                {
                    var signature = new byte[bytes];
                    random.NextBytes(signature);
                    random.NextBytes(id);
                    (signature[0], signature[1]) = (kind, kind == ImageSignature.Kind ? signature[1] : (byte)200);
                    duplicates.FindOrAdd(new() { ItemId = Convert.ToHexStringLower(id), Modality = default, SourceUri = "", Path = "", MediaType = "", ByteSize = 0, IngestedAt = default, Signature = signature });
                }
                times[tenth] = clock.Elapsed.TotalMicroseconds / 100_000;
            }
            var after = GC.GetTotalMemory(forceFullCollection: true);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {(after - before) / 1e6:F0} | {times[0]:F1}, {times[9]:F1} |"));
            GC.KeepAlive(duplicates);
        }
        return 0;
    }

    private static async Task MakeCopiesAsync(string set, string files, string unpacked)
    {
        if (set == "cifar10")
        {
            Directory.CreateDirectory(unpacked);
            await using var plain = new GZipStream(File.OpenRead(Path.Combine(_datasets, set, "cifar10.tar.gz")), CompressionMode.Decompress);
            await System.Formats.Tar.TarFile.ExtractToDirectoryAsync(plain, unpacked, overwriteFiles: true);
        }
        else
        {
            await ZipFile.ExtractToDirectoryAsync(Directory.EnumerateFiles(Path.Combine(_datasets, set), "*.zip").Single(), unpacked);
        }
        var all = Directory.EnumerateFiles(unpacked, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        switch (set)
        {
            case "clothing-photos": CopyPictures(all.Where(IsPicture).Take(400), files, small: false); break;
            case "cifar10": CopyPictures(all.Where(IsPicture).Take(3000), files, small: true); break;
            case "20newsgroups": CopyTexts([.. all.Where(file => file.EndsWith(".txt", StringComparison.Ordinal)).Take(2000).Select(File.ReadAllText)], files); break;
            case "ag-news": CopyTexts([.. File.ReadLines(all.Single(file => file.EndsWith("train.csv", StringComparison.Ordinal))).Skip(1).Take(5000).Select(line => line[(line.IndexOf(',') + 1)..])], files); break;
            default: await CopySoundsAsync(all.Where(file => Path.GetExtension(file) is ".ogg" or ".wav").Take(150), files); break;
        }
    }

    private static bool IsPicture(string file) => Path.GetExtension(file) is ".jpg" or ".png";

    private static string Target(string files, string kind, string name)
    {
        Directory.CreateDirectory(Path.Combine(files, kind));
        return Path.Combine(files, kind, name);
    }

    private static void CopyPictures(IEnumerable<string> sources, string files, bool small)
    {
        foreach (var (number, source) in sources.Index())
        {
            var name = number.ToString("D6", CultureInfo.InvariantCulture);
#pragma warning disable RS0030 // the sets' own pictures are whole
            using var picture = SKBitmap.Decode(source);
#pragma warning restore RS0030
            File.Copy(source, Target(files, Originals, name + Path.GetExtension(source)));
            var (width, height) = (picture.Width, picture.Height);
            var margin = small ? 1 : 0.01f * Math.Min(width, height);
            Save("b-resized to 60 %", new(0, 0, width, height), (int)(width * 0.6f), (int)(height * 0.6f), 1, 90);
            Save("c-JPEG quality 40", new(0, 0, width, height), width, height, 1, 40);
            Save("d-brightness + 12 %", new(0, 0, width, height), width, height, 1.12f, 92);
            Save(small ? "e-cropped by 1 of 32 pixels" : "e-cropped by 2 %", new(margin, small ? 0 : margin, width - (small ? 0 : margin), height - (small ? 0 : margin)), (int)(width - margin), (int)(height - margin), 1, 92);
            Save("f-mirror image", new(width, 0, 0, height), width, height, 1, 95);

            void Save(string kind, SKRect from, int toWidth, int toHeight, float gain, int quality)
            {
                using var surface = SKSurface.Create(new SKImageInfo(toWidth, toHeight, SKColorType.Rgba8888, SKAlphaType.Opaque));
                var canvas = surface.Canvas;
                if (from.Left > from.Right)
                {
                    canvas.Scale(-1, 1, toWidth / 2f, 0);
                    from = new(from.Right, from.Top, from.Left, from.Bottom);
                }
                using var paint = new SKPaint { ColorFilter = SKColorFilter.CreateColorMatrix([gain, 0, 0, 0, 0, 0, gain, 0, 0, 0, 0, 0, gain, 0, 0, 0, 0, 0, 1, 0]) };
                using var image = SKImage.FromBitmap(picture);
                canvas.DrawImage(image, from, new SKRect(0, 0, toWidth, toHeight), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear), paint);
                using var drawn = surface.Snapshot();
                using var data = drawn.Encode(SKEncodedImageFormat.Jpeg, quality);
                File.WriteAllBytes(Target(files, kind, name + ".jpg"), data.ToArray());
            }
        }
    }

    private static void CopyTexts(IReadOnlyList<string> texts, string files)
    {
        var random = new Random(1);
        var vocabulary = texts.SelectMany(text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(40)).ToArray();
        foreach (var (number, text) in texts.Index())
        {
            var name = number.ToString("D6", CultureInfo.InvariantCulture) + ".txt";
            File.WriteAllText(Target(files, Originals, name), text);
            File.WriteAllText(Target(files, "b-other case, breaks and punctuation", name), text.ToUpperInvariant().Replace(" ", "\n", StringComparison.Ordinal).Replace(",", " --", StringComparison.Ordinal) + "!");
            File.WriteAllText(Target(files, "c-5 % of the words replaced", name), Edited(text, 0.05));
            File.WriteAllText(Target(files, "d-10 % of the words replaced", name), Edited(text, 0.1));
        }

        string Edited(string text, double share)
        {
            var words = text.Split(' ');
            var edits = Math.Max(1, (int)Math.Round(share * words.Length));
            for (var i = 0; i < edits; i++) words[random.Next(words.Length)] = vocabulary[random.Next(vocabulary.Length)];
            return string.Join(' ', words);
        }
    }

    private static async Task CopySoundsAsync(IEnumerable<string> sources, string files)
    {
        foreach (var (number, source) in sources.Index())
        {
            var name = number.ToString("D6", CultureInfo.InvariantCulture);
            File.Copy(source, Target(files, Originals, name + Path.GetExtension(source)));
            string[] arguments =
            [
                "-v", "error", "-y", "-i", source,
                "-c:a", "libmp3lame", "-b:a", "64k", Target(files, "b-MP3 at 64 kbit", name + ".mp3"),
                "-c:a", "libvorbis", "-q:a", "0", Target(files, "c-Vorbis at quality 0", name + ".ogg"),
                "-af", "volume=-12dB", Target(files, "d-12 dB softer", name + ".wav"),
                "-ar", "16000", Target(files, "e-resampled to 16 kHz", name + ".wav"),
                "-ss", "0.137", Target(files, "f-first 137 ms cut off", name + ".wav"),
                "-ss", "0.137", "-ar", "22050", "-af", "volume=-6dB", "-c:a", "libmp3lame", "-b:a", "64k", Target(files, "g-cut, softer, 22 kHz, MP3", name + ".mp3"),
            ];
            using var ffmpeg = Process.Start(new ProcessStartInfo("ffmpeg", arguments) { RedirectStandardError = true })!;
            await ffmpeg.WaitForExitAsync();
        }
    }

    private static async Task<IReadOnlyList<ItemRow>> IngestAsync(string files, string store)
    {
        var context = new RunContext(Store.Open(store), "run", () => { }, new SilentReporter(), TimeProvider.System);
        var result = await IngestRun.ExecuteAsync(new() { Sources = [files], Corpus = "copies" }, context, default);
        // A copy that an encoder left without sound or header is no item; it is missing from the counts below.
        foreach (var (code, count) in result.QuarantinedByCode) await Console.Error.WriteLineAsync($"{count} copies were quarantined as {QuarantineTable.CodeName(code)}.");
        var items = new List<ItemRow>();
        foreach (var part in context.Store.Corpus("copies").ItemParts)
        {
            await foreach (var row in ItemsTable.ReadAsync(Path.Combine(context.Store.CorpusFolder("copies"), part.Path), withContent: true, default)) items.Add(row);
        }
        return items;
    }

    private static async Task ReportAsync(string set, IReadOnlyList<ItemRow> items, TextWriter output)
    {
        static string Name(ItemRow row) => Path.GetFileNameWithoutExtension(row.Path);
        var originals = items.Where(row => row.Path.StartsWith(Originals, StringComparison.Ordinal)).ToDictionary(Name);
        foreach (var copies in items.Where(row => !row.Path.StartsWith(Originals, StringComparison.Ordinal)).GroupBy(row => row.Path.Split('/')[0]).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            // An original whose bytes equal another's is that other item.
            var judged = copies.Where(row => originals.ContainsKey(Name(row))).ToList();
            var marked = judged.Count(row => row.NearDuplicateOf != null);
            var right = judged.Count(row => row.NearDuplicateOf is { } of && of == (originals[Name(row)].NearDuplicateOf ?? originals[Name(row)].ItemId));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {set} | {copies.Key[2..]} | {judged.Count} | {(double)right / judged.Count:P1} | {(marked == 0 ? 1 : (double)right / marked):P1} |"));
        }
        var found = originals.Values.Where(row => row.NearDuplicateOf != null).ToList();
        var byId = originals.Values.ToDictionary(row => row.ItemId);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {set} | originals marked among themselves | {originals.Count} | {(double)found.Count / originals.Count:P2} | {string.Join(", ", found.Take(8).Select(row => $"{Name(row)} of {(byId.TryGetValue(row.NearDuplicateOf!, out var first) ? Name(first) : "?")}"))} |"));
    }

    // One thread, the originals again from the store's own bytes.
    private static string Cost(string set, IReadOnlyList<ItemRow> items)
    {
        var rows = items.Where(row => row.Path.StartsWith(Originals, StringComparison.Ordinal)).Take(1000).ToList();
        var scratch = Path.GetTempPath();
        var (all, measuring) = (new Stopwatch(), new Stopwatch());
        for (var round = 0; round < 2; round++)
        {
            (all, measuring) = (new(), new());
            foreach (var row in rows)
            {
                switch (row.Modality)
                {
                    case Modality.Image:
                        all.Start();
                        StoredItem.Image(row, [64]);
                        all.Stop();
                        var pixels = StoredItem.Rgb(row, 64);
                        measuring.Start();
                        ImageQuality.Of(pixels.Rgb.Span, pixels.Width, pixels.Height, pixels.SourceWidth, pixels.SourceHeight, pixels.Origin);
                        measuring.Stop();
                        break;
                    case Modality.Text:
                        all.Start();
                        TextDecoder.Decode(row.Content!, new());
                        all.Stop();
                        measuring.Start();
                        TextQuality.Of(row.Text!);
                        measuring.Stop();
                        break;
                    default:
                        all.Start();
                        var audio = StoredItem.Audio(row, 16000, scratch, default);
                        all.Stop();
                        var samples = Array.ConvertAll(audio.Samples.First(int.MaxValue), sample => sample / 32768f);
                        // At the source's rate the meter sees as many samples as that rate has.
                        var source = new float[(int)((long)samples.Length * audio.SampleRate / 16000)];
                        for (var i = 0; i < source.Length; i++) source[i] = samples[Math.Min(samples.Length - 1, (int)((long)i * 16000 / audio.SampleRate))];
                        var measures = new SoundMeasures(audio.SampleRate, 16000);
                        measuring.Start();
                        measures.AddDecoded(source);
                        measures.AddKept(samples);
                        measures.Finish(samples.Length / 16000.0);
                        measuring.Stop();
                        break;
                }
            }
        }
        return string.Create(CultureInfo.InvariantCulture, $"| {set} | {all.Elapsed.TotalMilliseconds / rows.Count:F3} | {measuring.Elapsed.TotalMilliseconds / rows.Count:F3} | {measuring.Elapsed / all.Elapsed:P0} |");
    }

    private sealed class SilentReporter : IRunReporter
    {
        public void Progress(RunProgress progress) { }
        public void Log(string level, string message) { }
        public void Metric(long step, string name, double value) { }
        public void RewindMetrics(long step) { }
    }
}
