// /api/v1/me, /tokens, /users, /audit: what the settings page does. Verbs: featureforge users …, tokens …, audit.
using FeatureForge.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints over users, tokens and the audit log.</summary>
public static class AccessApi
{
    /// <summary>How long a token lives unless asked otherwise.</summary>
    public const int DefaultDays = 90;

    private static readonly NeedsAttribute _ownTokens = new() { Write = AccessRole.Viewer };
    private static readonly NeedsAttribute _admins = new() { Read = AccessRole.Admin, Write = AccessRole.Admin };

    /// <summary>Adds the endpoints to the group /api/v1.</summary>
    public static void MapAccessApi(this IEndpointRouteBuilder api)
    {
        api.MapGet("/me", (HttpContext http, SignInPolicy policy) => StoreApi.Json(new { Name = http.Actor(), Role = http.Role(), SignIn = policy.IsRequired }));
        api.MapGet("/tokens", (HttpContext http, RunLedger ledger) => StoreApi.Json(ledger.Access.Tokens(http.May(AccessRole.Admin) ? null : http.Actor())));
        api.MapPost("/tokens", IssueAsync).Describes<IssueRequest, object>("Make a token; its secret is in this answer only").WithMetadata(_ownTokens);
        api.MapDelete("/tokens/{id:runid}", (string id, HttpContext http, RunLedger ledger) =>
            ledger.Access.Revoke(id, http.May(AccessRole.Admin) ? null : http.Actor()) ? Results.NoContent() : StoreApi.Missing()).WithMetadata(_ownTokens);
        api.MapGet("/users", (RunLedger ledger) => StoreApi.Json(ledger.Access.Users())).WithMetadata(_admins);
        api.MapPost("/users", AddAsync).Describes<AddRequest, UserRow>("Add a user").WithMetadata(_admins);
        api.MapPatch("/users/{name}", ChangeAsync).Describes<ChangeRequest, UserRow>("Change a user").WithMetadata(_admins);
        api.MapDelete("/users/{name}", (string name, RunLedger ledger) =>
        {
            if (ledger.Access.FindUser(name) is null) return StoreApi.Missing();
            ledger.Access.RemoveUser(name);
            return Results.NoContent();
        }).WithMetadata(_admins);
        api.MapGet("/audit", (long? before, int? take, string? text, RunLedger ledger) =>
            take is < 1 or > 1000 ? Results.Problem("Expected take from 1 to 1000.", statusCode: StatusCodes.Status400BadRequest) : StoreApi.Json(ledger.Access.Audit(before, take ?? 100, text))).WithMetadata(_admins);
    }

    /// <summary>What POST /tokens takes. A user, who must be oneself unless an admin asks; without a role the user's.</summary>
    private sealed record IssueRequest(string Name, AccessRole? Role, double Days = DefaultDays, string? User = null);

    private static async Task<IResult> IssueAsync(HttpContext http, RunLedger ledger, CancellationToken stop)
    {
        var ask = await StoreApi.ReadAsync<IssueRequest>(http.Request, stop);
        var (token, secret) = Issue(http, ledger, ask.User, ask.Name, ask.Role, ask.Days);
        return StoreApi.Created(new { Token = token, Secret = secret });
    }

    /// <summary>Makes a token for the caller or, asked by an admin, for another; never for more than the caller may do.</summary>
    internal static (SecretRow Row, string Secret) Issue(HttpContext http, RunLedger ledger, string? user, string name, AccessRole? role, double days)
    {
        if (user is not null && user != http.Actor() && !http.May(AccessRole.Admin)) throw new BadRequestException("Only an admin makes tokens for others.");
        if (double.IsNaN(days) || Math.Abs(days) > 100_000) throw new BadRequestException("Days are more than 0 and at most 3660.");
        var owner = ledger.Access.FindUser(user ?? http.Actor()!) ?? throw new BadRequestException($"There is no user '{user ?? http.Actor()}': add one first (featureforge users add).");
        var most = (AccessRole)Math.Min((int)owner.Role, (int)http.Role()!.Value);
        return ledger.Access.Issue(owner.Name, SecretKind.Token, name ?? "", role is { } wanted && (wanted <= most || wanted > owner.Role) ? wanted : most, TimeSpan.FromDays(days));
    }

    /// <summary>What POST /users takes.</summary>
    private sealed record AddRequest(string Name, AccessRole Role, string Password);

    private static async Task<IResult> AddAsync(HttpRequest request, RunLedger ledger, CancellationToken stop)
    {
        var ask = await StoreApi.ReadAsync<AddRequest>(request, stop);
        BadRequestException.ThrowIfAny(Passwords.Problem(ask.Password) is { } problem ? [problem] : []);
        return StoreApi.Created(ledger.Access.AddUser(ask.Name, ask.Role, Passwords.Hash(ask.Password)));
    }

    /// <summary>What PATCH /users/NAME takes: what is to change.</summary>
    private sealed record ChangeRequest(AccessRole? Role, bool? Enabled, string? Password);

    private static async Task<IResult> ChangeAsync(string name, HttpRequest request, RunLedger ledger, CancellationToken stop)
    {
        var ask = await StoreApi.ReadAsync<ChangeRequest>(request, stop);
        if (ledger.Access.FindUser(name) is null) return StoreApi.Missing();
        if (ask.Password is not null && Passwords.Problem(ask.Password) is { } problem) throw new BadRequestException(problem);
        if (ask.Role is { } role) ledger.Access.SetRole(name, role);
        if (ask.Enabled is { } enabled) ledger.Access.SetEnabled(name, enabled);
        if (ask.Password is not null) ledger.Access.SetPassword(name, Passwords.Hash(ask.Password));
        return StoreApi.Json(ledger.Access.FindUser(name)!);
    }
}
