// A verb with --server: the request goes to a running `featureforge serve`, whose workers perform it; this process shows how far it is.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

/// <summary>The HTTP interface of a server, as the command line uses it.</summary>
internal sealed class RemoteServer : IDisposable
{
    /// <summary>Environment variable with the API token for servers that ask people to sign in.</summary>
    internal const string TokenVariable = "FEATUREFORGE_TOKEN";

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private readonly HttpClient _http;
    private readonly ProgressDisplay _display;

    internal RemoteServer(Uri server, ProgressDisplay display)
    {
        _http = new() { BaseAddress = new(server.AbsoluteUri.TrimEnd('/') + "/api/v1/"), Timeout = TimeSpan.FromSeconds(100) };
        if (Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _display = display;
    }

    /// <summary>Asks for a run and follows it to its end; Ctrl-C stops it there.</summary>
    internal async Task<RunRow> ExecuteAsync<TSpec>(RunKind kind, TSpec spec, double? budget, CancellationToken stop) =>
        await FollowAsync(await PostAsync<RunRow>("runs", new { Kind = kind, Spec = JsonSerializer.SerializeToElement(spec, SpecJson.Line), Budget = budget }, stop), stop);

    /// <summary>Asks for a pipeline and follows it to its end; Ctrl-C stops it there.</summary>
    internal async Task<PipelineRow> ExecuteAsync(string askAt, object? body, CancellationToken stop)
    {
        var row = await PostAsync<PipelineRow>(askAt, body, stop);
        return await FollowAsync(row, $"pipelines/{row.PipelineId}", one => one.State is not (RunState.Queued or RunState.Running), one => one.Runs.FirstOrDefault(run => run.State == RunState.Running)?.Progress, stop);
    }

    internal Task<RunRow> FollowAsync(RunRow run, CancellationToken stop) => FollowAsync(run, $"runs/{run.RunId}", one => one.IsEnded, one => one.Progress, stop);

    private async Task<T> FollowAsync<T>(T row, string address, Func<T, bool> isEnded, Func<T, RunProgress?> progress, CancellationToken stop)
    {
        var asked = false;
        while (!isEnded(row))
        {
            if (stop.IsCancellationRequested && !asked)
            {
                _display.Say("Stopping; what is finished is kept.");
                await PostAsync<JsonElement>($"{address}/cancel", null, default);
                asked = true;
            }
            _display.Show(progress(row));
            await Task.Delay(_look, CancellationToken.None);
            row = await GetAsync<T>(address, default);
        }
        _display.Clear();
        return row;
    }

    internal Task<T> GetAsync<T>(string address, CancellationToken stop) => AnswerAsync<T>(() => new(HttpMethod.Get, address), stop);

    internal Task<T> PostAsync<T>(string address, object? body, CancellationToken stop) => AnswerAsync<T>(() => new(HttpMethod.Post, address) { Content = JsonContent.Create(body ?? new { }, options: SpecJson.Line) }, stop);

    internal async Task<bool> DeleteAsync(string address, CancellationToken stop)
    {
        await AnswerAsync<JsonElement>(() => new(HttpMethod.Delete, address), stop);
        return true;
    }

    // A server that is started again meanwhile is waited for, once it has answered at all: asking twice for a run means the same run.
    private bool _hasAnswered;

    private async Task<T> AnswerAsync<T>(Func<HttpRequestMessage> request, CancellationToken stop)
    {
        for (var began = TimeProvider.System.GetTimestamp(); ;)
        {
            try
            {
                using var message = request();
                using var answer = await _http.SendAsync(message, stop);
                _hasAnswered = true;
                if (answer.StatusCode == HttpStatusCode.NoContent) return default!;
                if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync<T>(SpecJson.Line, stop))!;
                throw await RefusalAsync(answer, stop);
            }
            catch (HttpRequestException error)
            {
                if (!_hasAnswered || TimeProvider.System.GetElapsedTime(began) > _patience) throw new BadRequestException($"Server {_http.BaseAddress!.GetLeftPart(UriPartial.Authority)} cannot be reached: {error.Message}");
                await Task.Delay(_look, stop);
            }
        }
    }

    private static async Task<BadRequestException> RefusalAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        var text = await answer.Content.ReadAsStringAsync(stop);
        if (answer.StatusCode == HttpStatusCode.Unauthorized) return new($"The server asks who you are: put a token into {TokenVariable} (featureforge tokens create).");
        try
        {
            using var problem = JsonDocument.Parse(text);
            if (problem.RootElement.TryGetProperty("problems", out var problems)) return new(problems.EnumerateArray().Select(one => one.GetString()!).ToList());
            if (problem.RootElement.TryGetProperty("detail", out var detail)) return new(detail.GetString()!);
        }
        catch (JsonException) { }
        return new($"The server answered {(int)answer.StatusCode} to {answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri!.AbsolutePath}.");
    }

    public void Dispose() => _http.Dispose();
}
