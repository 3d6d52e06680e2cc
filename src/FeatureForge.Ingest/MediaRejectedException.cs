// How a decoder or source says "this file is bad" from deep inside. It never leaves this project: ItemDecoder and
// SourceReader turn it into a Rejection, which is a value.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class MediaRejectedException(RejectionCode code, string reason) : Exception(reason)
{
    public RejectionCode Code { get; } = code;
}
