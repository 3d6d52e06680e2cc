// Settings: one's own tokens; for admins users and what was done; what the store uses.
using FeatureForge.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Settings;

[Needs(Write = AccessRole.Viewer)]
public sealed class IndexModel(Store store, RunLedger ledger, SignInPolicy policy, ServerOptions options) : PageModel
{
    public const int AuditLines = 100;

    public bool AsksWho => policy.IsRequired;
    public bool IsAdmin => HttpContext.May(AccessRole.Admin);
    public bool HasUser { get; private set; }
    public IReadOnlyList<SecretRow> Tokens { get; private set; } = [];
    public IReadOnlyList<UserRow> Users { get; private set; } = [];
    public IReadOnlyList<AuditRow> Audit { get; private set; } = [];
    public string? Text { get; private set; }
    /// <summary>A token that was just made; shown this once.</summary>
    public string? Secret { get; private set; }
    public IReadOnlyList<string> Problems { get; private set; } = [];
    public Store Store => store;
    public ServerOptions Options => options;

    public void OnGet(long? before, string? text) => Show(before, text);

    public IActionResult OnPostToken(string? name, AccessRole? role, double days) => Do(() => Secret = AccessApi.Issue(HttpContext, ledger, null, name ?? "", role, days).Secret);

    public IActionResult OnPostRevoke(string id) => Do(() => ledger.Access.Revoke(id, IsAdmin ? null : HttpContext.Actor()));

    public IActionResult OnPostPassword(string? old, string? password) => Do(() =>
    {
        if (Passwords.Problem(password) is { } problem) throw new BadRequestException(problem);
        if (!Passwords.IsRight(ledger.Access.PasswordOf(HttpContext.Actor()!), old ?? "")) throw new BadRequestException("The old password is not right.");
        ledger.Access.SetPassword(HttpContext.Actor()!, Passwords.Hash(password!));
    });

    public async Task<IActionResult> OnPostSignOutAsync()
    {
        await HttpContext.SignOutAsync();
        return Redirect("/sign-in");
    }

    public IActionResult OnPostAdd(string? name, AccessRole role, string? password) => DoAsAdmin(() =>
    {
        if (Passwords.Problem(password) is { } problem) throw new BadRequestException(problem);
        ledger.Access.AddUser(name?.Trim() ?? "", role, Passwords.Hash(password!));
    });

    public IActionResult OnPostRole(string name, AccessRole role) => DoAsAdmin(() => ledger.Access.SetRole(name, role));

    public IActionResult OnPostEnable(string name, bool enabled) => DoAsAdmin(() => ledger.Access.SetEnabled(name, enabled));

    public IActionResult OnPostRemove(string name) => DoAsAdmin(() => ledger.Access.RemoveUser(name));

    private IActionResult DoAsAdmin(Action act) => IsAdmin ? Do(act) : StatusCode(StatusCodes.Status403Forbidden);

    private IActionResult Do(Action act)
    {
        try { act(); }
        catch (BadRequestException error)
        {
            Problems = error.Problems;
            Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
        }
        if (Problems.Count == 0 && Secret is null) return RedirectToPage();
        Show(null, null);
        return Page();
    }

    private void Show(long? before, string? text)
    {
        HasUser = HttpContext.Actor() is { } name && ledger.Access.FindUser(name) is not null;
        Tokens = ledger.Access.Tokens(IsAdmin ? null : HttpContext.Actor());
        Text = text;
        if (!IsAdmin) return;
        Users = ledger.Access.Users();
        Audit = ledger.Access.Audit(before, AuditLines, text);
    }
}
