// What a person sees instead of a page that does not exist or failed. Never shows what went wrong inside.
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages;

[AllowAnonymous, IgnoreAntiforgeryToken, ResponseCache(NoStore = true)]
public sealed class ErrorModel : PageModel
{
    public string Heading { get; private set; } = "";
    public string Explanation { get; private set; } = "";

    public void OnGet(int code) => Explain(code);
    public void OnPost(int code) => Explain(code);

    private void Explain(int code) => (Heading, Explanation) = code switch
    {
        404 => ("Not found", "There is nothing at this address. It may have been removed, or its name may be misspelt."),
        400 => ("Not accepted", "The form was not accepted, usually because the server has been restarted since the page was opened. Go back, reload the page and try again."),
        403 => ("Refused", "Your role does not allow this, or the request came from another site."),
        429 => ("Too many requests", "Wait a moment and try again."),
        _ => ("Something went wrong", "The server could not answer. Its log says why."),
    };
}
