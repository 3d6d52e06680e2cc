// Errors of the API as problem details: bad requests with every problem, the rest without saying what broke inside.
using FeatureForge.Data;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace FeatureForge.Server;

/// <summary>Turns exceptions into answers.</summary>
public sealed class ApiProblems : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var (status, extensions) = exception switch
        {
            BadRequestException bad => (StatusCodes.Status400BadRequest, new Dictionary<string, object?> { ["problems"] = bad.Problems }),
            BadHttpRequestException bad => (bad.StatusCode, null),
            _ => (0, null),
        };
        if (status == 0 && !httpContext.Request.Path.StartsWithSegments("/api")) return false;
        if (status == 0) status = StatusCodes.Status500InternalServerError;
        var detail = status == StatusCodes.Status500InternalServerError ? "The server could not answer; its log says why." : exception.Message;
        await Results.Problem(detail, statusCode: status, extensions: extensions).ExecuteAsync(httpContext);
        return true;
    }
}
