// Signing in by name and password; an identity provider, where there is one, is a link.
using System.Security.Claims;
using FeatureForge.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages;

[AllowAnonymous]
public sealed class SignInModel(RunLedger ledger, SignInLimits limits, ServerOptions options) : PageModel
{
    public string? Next { get; private set; }
    public string? Name { get; private set; }
    public string? Problem { get; private set; }
    public bool ByProvider => options.IdentityProvider is not null;
    public bool ByPassword { get; private set; }

    public void OnGet(string? next, string? refused)
    {
        Next = Local(next);
        Problem = refused switch
        {
            null => null,
            "here" => "You are known, but have no role on this server, or are kept out of it. Ask its admin.",
            _ => "The identity provider did not sign you in. Try again.",
        };
        Look();
    }

    public async Task<IActionResult> OnPostAsync(string? name, string? password, string? next)
    {
        (Next, Name) = (Local(next), name);
        Look();
        var known = name is { Length: > 0 and <= 100 } && password is not null;
        if (!limits.MayTry(HttpContext.Address(), name is { Length: <= 100 } ? name : ""))
        {
            Response.Headers.RetryAfter = "60";
            return Refused(StatusCodes.Status429TooManyRequests, "Too many tries. Wait a minute.");
        }
        if (!known || !Passwords.IsRight(ledger.Access.PasswordOf(name!), password!))
        {
            ledger.Access.Note(AccessLedger.NameProblem(name) is null ? name! : "?", HttpContext.Address(), "sign in", StatusCodes.Status401Unauthorized);
            return Refused(StatusCodes.Status401Unauthorized, "The name or the password is not right.");
        }
        await HttpContext.SignInAsync(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, name!)], SecretHandler.SchemeName)));
        ledger.Access.Note(name!, HttpContext.Address(), "sign in", StatusCodes.Status200OK);
        return LocalRedirect(Next ?? "/");
    }

    private PageResult Refused(int status, string problem)
    {
        Problem = problem;
        Response.StatusCode = status;
        return Page();
    }

    private void Look() => ByPassword = ledger.Access.Users().Any(user => user is { HasPassword: true, Enabled: true });

    private string? Local(string? next) => Url.IsLocalUrl(next) ? next : null;
}
