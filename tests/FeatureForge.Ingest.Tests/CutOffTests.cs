// A recording whose file ends too early is truncated, whatever a decoder makes of what is left.
using System.Diagnostics;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class CutOffTests : IngestTest
{
    private static readonly string[] Formats = ["wav", "flac", "mp3", "ogg", "opus", "aiff", "au", "caf", "w64", "mka", "webm", "wma", "m4a", "ac3", "eac3"];

    [NeedsToolFact("ffmpeg")]
    public async Task Whole_recordings_of_every_container_are_items_and_cut_ones_are_truncated()
    {
        foreach (var format in Formats)
        {
            var whole = Path.Combine(_source.Path, $"whole.{format}");
            // The least bit rate leaves Vorbis files a first block that is shorter than its place says.
            using (var ffmpeg = Process.Start("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*(200+300*t)*t):d=3:s=44100", .. (format == "ogg" ? new[] { "-c:a", "libvorbis", "-q:a", "0" } : []), whole]))
            {
                await ffmpeg.WaitForExitAsync();
                Assert.Equal(0, ffmpeg.ExitCode);
            }
            var bytes = File.ReadAllBytes(whole);
            File.WriteAllBytes(Path.Combine(_source.Path, $"half.{format}"), bytes[..(bytes.Length / 2)]);
            File.WriteAllBytes(Path.Combine(_source.Path, $"nearly.{format}"), bytes[..^(bytes.Length / 10)]);
        }

        var found = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(Formats.Select(format => $"whole.{format}").Order(), found.Items.Select(item => item.Path).Order());
        Assert.All(found.Items, item => Assert.InRange(item.DurationMs!.Value, 2900, 3150));
        Assert.All(found.Quarantine, row => Assert.True(row.Code is RejectionCode.Truncated or RejectionCode.Malformed, $"{row.Path}: {row.Code} {row.Reason}"));
        Assert.Equal(2 * Formats.Length, found.Quarantine.Count);
    }

    [Fact]
    public void No_bytes_make_the_look_fail_in_another_way_than_a_rejection()
    {
        var random = new Random(4);
        byte[][] heads = ["OggS\0\u0002"u8.ToArray(), "FORM\0\0\0\u0008AIFF"u8.ToArray(), "caff\0\u0001\0\0"u8.ToArray(), ".snd"u8.ToArray(), "riff.\u0091\u00cf\u0011"u8.ToArray(), [0x1A, 0x45, 0xDF, 0xA3], [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11], [0x0B, 0x77]];
        string[] names = ["Ogg", "AIFF", "CAF", "AU", "Wave64", "Matroska", "Windows Media", "AC-3"];
        for (var i = 0; i < 20_000; i++)
        {
            var kind = random.Next(names.Length);
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            // Small numbers are what sizes mostly are.
            for (var zeros = random.Next(bytes.Length + 1); zeros > 0; zeros--) bytes[random.Next(bytes.Length)] = (byte)random.Next(3);
            heads[kind].AsSpan(0, Math.Min(heads[kind].Length, bytes.Length)).CopyTo(bytes);
            try { CutOff.ThrowIf(new MemoryStream(bytes), new(MediaKind.Audio, "audio/x", names[kind])); }
            catch (MediaRejectedException error) { Assert.Equal(RejectionCode.Truncated, error.Code); }
        }
    }
}
