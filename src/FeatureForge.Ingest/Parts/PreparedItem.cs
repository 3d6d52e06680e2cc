// Adds one decoded item to a prepared part, in its modality's form.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class PreparedItem
{
    public static void Add(PreparedPartWriter writer, PreparationSpec preparation, Outcome item)
    {
        var row = item.Row!;
        switch (preparation.Modality)
        {
            case Modality.Image:
                writer.AddImage(row.ItemId, row.Width!.Value, row.Height!.Value, item.Images![preparation.ImageSize!.Value]);
                break;
            case Modality.Audio:
                item.Samples!.AddTo(writer, row.ItemId, row.DurationMs!.Value);
                item.Samples.Dispose();
                break;
            default:
                if (row.ContentIsText) writer.AddText(row.ItemId, row.Content!);
                else writer.AddText(row.ItemId, row.Text!);
                break;
        }
    }
}
