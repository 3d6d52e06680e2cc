// `users`, `tokens`, `audit`: who may use the store's servers and who did what. Works on the ledger itself: whoever may write the store may do this.
using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using FeatureForge.Data;
using FeatureForge.Server;

namespace FeatureForge.Cli;

internal static class UsersCommand
{
    private const string PasswordLetters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    internal static Command Create()
    {
        var name = new Argument<string>("name") { Description = "The user's name." };
        var role = new Option<AccessRole>("--role") { Description = "viewer looks, labeller labels, editor runs and changes, admin lets others in.", DefaultValueFactory = _ => AccessRole.Viewer };
        var roleArgument = new Argument<AccessRole>("role") { Description = "viewer, labeller, editor or admin." };
        var stdin = new Option<bool>("--password-stdin") { Description = "Read the password from standard input; without it one is made and printed." };
        return new Command("users", "Look after who may use the dashboard and the API: list, add, role, password, disable, enable, rm.").With(
            new Command("list", "List users.").Does((_, options, _) => With(options, access =>
            {
                if (options.Json) Verb.PrintJson(access.Users());
                else foreach (var user in access.Users()) Console.Out.WriteLine($"{user.Name}  {Word(user.Role)}  {(user.Enabled ? "" : "disabled ")}{(user.Subject is null ? "" : "by identity provider")}".TrimEnd());
            })),
            new Command("add", "Add a user; the first one must be an admin, and from then on every server of the store asks people to sign in.").With(name, role, stdin).Does((parsed, options, _) => With(options, access =>
            {
                var (password, made) = Password(parsed.GetValue(stdin));
                var user = access.AddUser(parsed.GetRequiredValue(name), parsed.GetValue(role), Passwords.Hash(password));
                Tell(options, user, $"Added {user.Name}, {Word(user.Role)}.", made);
            })),
            new Command("role", "Give a user another role.").With(name, roleArgument).Does((parsed, options, _) => With(options, access =>
            {
                access.SetRole(parsed.GetRequiredValue(name), parsed.GetRequiredValue(roleArgument));
                Tell(options, access.FindUser(parsed.GetRequiredValue(name))!, $"{parsed.GetValue(name)} is {Word(parsed.GetRequiredValue(roleArgument))} now.", null);
            })),
            new Command("password", "Set a user's password and end their sessions.").With(name, stdin).Does((parsed, options, _) => With(options, access =>
            {
                var (password, made) = Password(parsed.GetValue(stdin));
                access.SetPassword(parsed.GetRequiredValue(name), Passwords.Hash(password));
                Tell(options, access.FindUser(parsed.GetRequiredValue(name))!, $"The password of {parsed.GetValue(name)} is set.", made);
            })),
            Enabling("disable", "Keep a user out; their sessions and tokens stop counting at once.", false, name),
            Enabling("enable", "Let a user in again.", true, name),
            new Command("rm", "Remove a user and their tokens.").With(name).Does((parsed, options, _) => With(options, access =>
            {
                access.RemoveUser(parsed.GetRequiredValue(name));
                if (options.Json) Verb.PrintJson(new { Removed = parsed.GetValue(name) });
                else Console.Out.WriteLine($"Removed {parsed.GetValue(name)}.");
            })));
    }

    internal static Command Tokens()
    {
        var user = new Option<string?>("--user") { Description = "Whose." };
        var owner = new Option<string>("--user") { Description = "Whom it stands for.", Required = true };
        var name = new Option<string>("--name") { Description = "What it is for.", DefaultValueFactory = _ => "command line" };
        var role = new Option<AccessRole?>("--role") { Description = "The most it may be used for. Default: the user's role." };
        var days = new Option<double>("--days") { Description = "How long it lives.", DefaultValueFactory = _ => AccessApi.DefaultDays };
        var id = new Argument<string>("id") { Description = "As `tokens list` shows it." };
        return new Command("tokens", "Look after API tokens: list, create, revoke.").With(
            new Command("list", "List tokens, newest first.").With(user).Does((parsed, options, _) => With(options, access =>
            {
                var tokens = access.Tokens(parsed.GetValue(user));
                if (options.Json) Verb.PrintJson(tokens);
                else
                    foreach (var token in tokens)
                        Console.Out.WriteLine($"{token.SecretId}  {token.User}  {Word(token.Role)}  until {Day(token.ExpiresAt)}  {(token.RevokedAt is null ? token.LastUsedAt is { } used ? $"used {Day(used)}" : "unused" : "revoked")}  {token.Name}");
            })),
            new Command("create", "Make a token; it is printed this once.").With(owner, name, role, days).Does((parsed, options, _) => With(options, access =>
            {
                var whose = access.FindUser(parsed.GetRequiredValue(owner)) ?? throw new BadRequestException($"There is no user '{parsed.GetValue(owner)}'.");
                var lifetime = parsed.GetValue(days) is > 0 and <= 3660 and var given ? TimeSpan.FromDays(given) : TimeSpan.Zero;
                var (row, secret) = access.Issue(whose.Name, SecretKind.Token, parsed.GetValue(name)!, parsed.GetValue(role) ?? whose.Role, lifetime);
                if (options.Json) Verb.PrintJson(new { Token = row, Secret = secret });
                else Console.Out.WriteLine(secret);
            })),
            new Command("revoke", "Void a token at once.").With(id).Does((parsed, options, _) => With(options, access =>
            {
                if (!access.Revoke(parsed.GetRequiredValue(id))) throw new BadRequestException($"There is no token '{parsed.GetValue(id)}' that is in force; `tokens list` shows them.");
                if (options.Json) Verb.PrintJson(new { Revoked = parsed.GetValue(id) });
                else Console.Out.WriteLine($"Revoked {parsed.GetValue(id)}.");
            })));
    }

    internal static Command Audit()
    {
        var count = new Option<int>("--count") { Description = "How many lines.", DefaultValueFactory = _ => 50 };
        var text = new Option<string?>("--text") { Description = "Lines whose actor or action contains this." };
        return new Command("audit", "Show who did what through the servers, newest first.").With(count, text).Does((parsed, options, _) => With(options, access =>
        {
            if (parsed.GetValue(count) is < 1 or > 100_000) throw new BadRequestException("--count: expected 1 to 100000.");
            var lines = access.Audit(take: parsed.GetValue(count), text: parsed.GetValue(text));
            if (options.Json) Verb.PrintJson(lines);
            else foreach (var line in lines) Console.Out.WriteLine($"{line.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}  {line.Status}  {line.Actor}  {line.Address}  {line.Action}");
        }));
    }

    private static Command Enabling(string verb, string description, bool enabled, Argument<string> name) => new Command(verb, description).With(name).Does((parsed, options, _) => With(options, access =>
    {
        access.SetEnabled(parsed.GetRequiredValue(name), enabled);
        Tell(options, access.FindUser(parsed.GetRequiredValue(name))!, $"{parsed.GetValue(name)} is {(enabled ? "let in" : "kept out")}.", null);
    }));

    private static void Tell(GlobalOptions options, UserRow user, string said, string? password)
    {
        if (options.Json) Verb.PrintJson(new { User = user, Password = password });
        else Console.Out.WriteLine(password is null ? said : $"{said} Password, shown this once: {password}");
    }

    private static (string Password, string? Made) Password(bool fromInput)
    {
        if (!fromInput)
        {
            var made = RandomNumberGenerator.GetString(PasswordLetters, 20);
            return (made, made);
        }
        var given = Console.In.ReadLine() ?? "";
        return Passwords.Problem(given) is { } problem ? throw new BadRequestException(problem) : (given, null);
    }

    private static string Word(AccessRole role) => role.ToString().ToLowerInvariant();

    private static string Day(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static Task<int> With(GlobalOptions options, Action<AccessLedger> work)
    {
        using var ledger = RunLedger.Open(options.OpenOrCreateStore(), TimeProvider.System);
        work(ledger.Access);
        return Task.FromResult(ExitCode.Done);
    }
}
