// The one door: who is not known is asked to sign in, who may not is refused, and what was changed is written down with who did it.
using FeatureForge.Data;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FeatureForge.Server;

/// <summary>Checks every request against its endpoint's <see cref="NeedsAttribute"/>.</summary>
public sealed class AccessGate(RequestDelegate next, RunLedger ledger, ILogger<AccessGate> log)
{
    // Hangfire's own buttons go past the run ledger.
    private static readonly NeedsAttribute _hangfire = new() { Write = AccessRole.Admin };

    public async Task InvokeAsync(HttpContext http)
    {
        var endpoint = http.GetEndpoint();
        var isHangfire = http.Request.Path.StartsWithSegments("/hangfire");
        if (endpoint?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            await next(http);
            return;
        }
        var needs = isHangfire ? _hangfire : NeedsAttribute.Of(endpoint);
        var reads = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method);
        var least = reads ? needs.Read : needs.Write;
        var actor = http.Actor();
        if (actor is null) await AskWhoAsync(http);
        else if (!http.May(least)) await RefuseAsync(http, actor, least);
        else
        {
            if (!reads && needs.IsAudited) NoteBeforeAnswering(http, actor);
            await next(http);
        }
    }

    // Whoever has the answer can be sure that the line is there; its status is the one that was sent, whoever set it.
    private void NoteBeforeAnswering(HttpContext http, string actor)
    {
        var (address, action, isNoted) = (http.Address(), Action(http), false);
        void Note(int status)
        {
            if (!isNoted) ledger.Access.Note(actor, address, action, status);
            isNoted = true;
        }
        http.Response.OnStarting(() =>
        {
            Note(http.Response.StatusCode);
            return Task.CompletedTask;
        });
        // The caller has gone; what was asked may have been done all the same.
        http.Response.OnCompleted(() =>
        {
            Note(StatusCodes.Status499ClientClosedRequest);
            return Task.CompletedTask;
        });
    }

    private async Task AskWhoAsync(HttpContext http)
    {
        var isForPrograms = IsForPrograms(http) || !HttpMethods.IsGet(http.Request.Method);
        if (!isForPrograms && !http.Request.Headers.ContainsKey("HX-Request"))
        {
            http.Response.Redirect("/sign-in?next=" + Uri.EscapeDataString(http.Request.Path + http.Request.QueryString));
            return;
        }
        if (log.IsEnabled(LogLevel.Warning)) log.LogWarning("Nobody signed in asked for {Method} {Path} from {Address}", http.Request.Method, http.Request.Path, http.Address());
        http.Response.Headers.WWWAuthenticate = "Bearer";
        http.Response.Headers["HX-Redirect"] = "/sign-in";
        await Results.Problem("Sign in, or send a token: Authorization: Bearer TOKEN (featureforge tokens create).", statusCode: StatusCodes.Status401Unauthorized).ExecuteAsync(http);
    }

    private async Task RefuseAsync(HttpContext http, string actor, AccessRole least)
    {
        if (log.IsEnabled(LogLevel.Warning)) log.LogWarning("{Actor} may not {Method} {Path}", actor, http.Request.Method, http.Request.Path);
        if (!HttpMethods.IsGet(http.Request.Method)) ledger.Access.Note(actor, http.Address(), Action(http), StatusCodes.Status403Forbidden);
        // A page says it in its own words.
        http.Response.StatusCode = StatusCodes.Status403Forbidden;
        if (IsForPrograms(http)) await Results.Problem($"This needs the role {Word(least)}; yours is {Word(http.Role()!.Value)}.", statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(http);
    }

    internal static string Word(AccessRole role) => role.ToString().ToLowerInvariant();

    /// <summary>Programs get errors as problem details, people get pages.</summary>
    internal static bool IsForPrograms(HttpContext http) => http.Request.Path.StartsWithSegments("/api") || http.Request.Path.StartsWithSegments("/media") || http.Request.Path.StartsWithSegments("/v2");

    private static string Action(HttpContext http) =>
        $"{http.Request.Method} {http.Request.Path}{(http.Request.Query["handler"].ToString() is { Length: > 0 and <= 40 } handler ? $"?handler={handler}" : "")}";
}
