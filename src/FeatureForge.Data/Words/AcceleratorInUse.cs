// The accelerator that this process computes on. Here, not with the tensors: a process that only asks must not load LibTorch for it.
namespace FeatureForge.Data;

/// <summary>Told once by what chooses a device; read by what counts device seconds.</summary>
public static class AcceleratorInUse
{
    /// <summary>When this process first chose an accelerator (a <see cref="TimeProvider"/>'s timestamp); null while it has not.</summary>
    public static long? Since { get; private set; }

    /// <summary>That accelerator's name; null while none was chosen.</summary>
    public static string? Name { get; private set; }

    /// <summary>The first choice counts; later ones change nothing.</summary>
    public static void Chosen(string name)
    {
        if (Since is not null) return;
        (Name, Since) = (name, TimeProvider.System.GetTimestamp());
    }
}
