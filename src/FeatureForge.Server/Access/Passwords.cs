// Passwords: what is accepted, and how they are kept (PBKDF2 with a salt of its own for each, ASP.NET's hasher).
using Microsoft.AspNetCore.Identity;

namespace FeatureForge.Server;

/// <summary>Hashes passwords and checks them.</summary>
public static class Passwords
{
    public const int Shortest = 10;
    public const int Longest = 256;

    private static readonly PasswordHasher<string> _hasher = new();

    // Checked when there is no such user, so that an answer takes as long and tells nothing.
    private static readonly string _nobody = _hasher.HashPassword("", Guid.NewGuid().ToString());

    /// <summary>The problem with a password, or null.</summary>
    public static string? Problem(string? password) =>
        password is { Length: >= Shortest and <= Longest } ? null : $"A password has {Shortest} to {Longest} characters; found {password?.Length ?? 0}.";

    public static string Hash(string password) => _hasher.HashPassword("", password);

    /// <summary>Whether it is the password; takes the same time when there is none.</summary>
    public static bool IsRight(string? hash, string password) =>
        password.Length <= Longest && _hasher.VerifyHashedPassword("", hash ?? _nobody, password) != PasswordVerificationResult.Failed && hash is not null;
}
