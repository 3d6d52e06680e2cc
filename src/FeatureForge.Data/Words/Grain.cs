// How much of an item one vector covers.
namespace FeatureForge.Data;

/// <summary>How much one vector covers: the whole item, a segment of it, or a patch.</summary>
public enum Grain
{
    Item,
    Segment,
    Patch,
}
