// Said by a decoder that would need more memory than a parallel worker may take: the file is decoded again, alone.
namespace FeatureForge.Ingest;

internal sealed class TooBigForNowException() : Exception("The file needs more memory than a parallel worker may take.");
