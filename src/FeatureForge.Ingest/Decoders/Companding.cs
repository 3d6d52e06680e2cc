// Telephone codings of one byte a sample (ITU-T G.711).
namespace FeatureForge.Ingest;

internal static class Companding
{
    public static float ALaw(byte code)
    {
        var value = code ^ 0x55;
        var (exponent, mantissa) = (value >> 4 & 7, value & 15);
        var magnitude = exponent == 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
        return ((value & 0x80) != 0 ? magnitude : -magnitude) / 32768f;
    }

    public static float MuLaw(byte code)
    {
        var value = ~code & 0xFF;
        var magnitude = ((((value & 15) << 3) + 0x84) << (value >> 4 & 7)) - 0x84;
        return ((value & 0x80) != 0 ? -magnitude : magnitude) / 32768f;
    }
}
