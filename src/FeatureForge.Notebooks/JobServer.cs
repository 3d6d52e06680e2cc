// A running `featureforge serve`, asked over its HTTP interface: start runs, watch them, stop them.
using System.Net.Http.Json;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Notebooks;

/// <summary>A server that works on runs.</summary>
public sealed class JobServer : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="url">Where its dashboard is, for instance http://127.0.0.1:8080.</param>
    /// <param name="token">An API token, for servers that ask who one is. Null: FEATUREFORGE_TOKEN, if set.</param>
    public JobServer(string url, string? token = null)
    {
        _http = new() { BaseAddress = new(url.TrimEnd('/') + "/api/v1/") };
        token ??= Environment.GetEnvironmentVariable("FEATUREFORGE_TOKEN");
        if (!string.IsNullOrEmpty(token)) _http.DefaultRequestHeaders.Authorization = new("Bearer", token);
    }

    /// <summary>Asks for a run; the same request again gives the run there is.</summary>
    /// <param name="spec">The stage's spec: an object whose properties are named as in config/README.md, or in PascalCase.</param>
    /// <exception cref="BadRequestException">The server refuses it; the message is the server's.</exception>
    public async Task<RunRow> StartAsync(RunKind kind, object spec, CancellationToken stop = default) =>
        await AnswerAsync(await _http.PostAsJsonAsync("runs", new { Kind = kind, Spec = JsonSerializer.SerializeToElement(spec, SpecJson.Line) }, SpecJson.Line, stop), stop);

    /// <summary>The run as it is now.</summary>
    /// <exception cref="BadRequestException">There is no such run.</exception>
    public async Task<RunRow> FindAsync(string runId, CancellationToken stop = default) => await AnswerAsync(await _http.GetAsync($"runs/{runId}", stop), stop);

    /// <summary>Shows the run and keeps the card up to date until it has ended.</summary>
    public Task<RunRow> FollowAsync(string runId, CancellationToken stop = default) => RunFollowing.FollowAsync(() => FindAsync(runId, stop), stop);

    /// <summary>Asks for the run to stop; it keeps what it has.</summary>
    public async Task<RunRow> CancelAsync(string runId, CancellationToken stop = default) => await AnswerAsync(await _http.PostAsync($"runs/{runId}/cancel", content: null, stop), stop);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static async Task<RunRow> AnswerAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        using (answer)
        {
            if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync<RunRow>(SpecJson.Line, stop))!;
            throw new BadRequestException($"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(stop)}");
        }
    }
}
