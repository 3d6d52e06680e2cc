// The three kinds of raw media. One enum member per modality; adding one means a decoder and a front end too.
namespace FeatureForge.Data;

/// <summary>What an item is: a recording, a picture or a document.</summary>
public enum Modality
{
    Audio,
    Image,
    Text,
}
