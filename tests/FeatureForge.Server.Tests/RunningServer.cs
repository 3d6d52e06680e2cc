// A server on a free port of this machine, over an empty or a filled store; one per test class.
using FeatureForge.Data;
using FeatureForge.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace FeatureForge.Server.Tests;

/// <summary>The real thing: Kestrel, Razor pages, SQLite ledger. Performs no runs.</summary>
public class RunningServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private WebApplication? _app;

    public HttpClient Client { get; private set; } = null!;
    public RunLedger Ledger => _app!.Services.GetRequiredService<RunLedger>();
    public string Address => Client.BaseAddress!.ToString().TrimEnd('/');
    public Store Store => _app!.Services.GetRequiredService<Store>();

    /// <summary>What is different about this server.</summary>
    protected virtual ServerOptions With(ServerOptions options) => options;

    /// <summary>Every endpoint the server maps.</summary>
    public IReadOnlyList<Microsoft.AspNetCore.Http.Endpoint> Endpoints => _app!.Services.GetRequiredService<Microsoft.AspNetCore.Routing.EndpointDataSource>().Endpoints;

    protected virtual Task FillAsync(Store store, RunLedger ledger) => Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _app = ServerHost.Build(With(new() { StorePath = _folder.Path, Urls = ["http://127.0.0.1:0"], Roles = ["web"], Program = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "featureforge.dll")]) }));
        await _app.StartAsync();
        Client = new(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new(_app.Urls.Single()) };
        await FillAsync(Store, Ledger);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _app!.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>The same over the sample store.</summary>
public sealed class FilledServer : RunningServer
{
    public IReadOnlyList<ItemRow> Items { get; private set; } = [];
    public (string Running, string Failed, string Succeeded) Runs { get; private set; }

    public ItemRow ItemOf(Modality modality) => Items.First(item => item.Modality == modality);

    protected override async Task FillAsync(Store store, RunLedger ledger)
    {
        Items = await SampleStore.FillAsync(store);
        Runs = SampleStore.AddRuns(ledger);
    }
}
