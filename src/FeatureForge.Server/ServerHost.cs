// Puts the server together: store, pages, API, media, jobs. Everything the process listens to is mapped here.
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Labelling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FeatureForge.Server;

/// <summary>The dashboard, the API and the job workers in one process.</summary>
public static class ServerHost
{
    /// <summary>Serves until <paramref name="stop"/>.</summary>
    /// <exception cref="BadRequestException">The options cannot be served.</exception>
    public static async Task RunAsync(ServerOptions options, CancellationToken stop)
    {
        await using var app = Build(options);
        try { await app.StartAsync(stop); }
        catch (IOException error) when (error.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new BadRequestException($"Address {string.Join(", ", options.Urls)} is taken by another program; choose another with --port or --urls, or stop that program.");
        }
        await app.WaitForShutdownAsync(stop);
    }

    /// <summary>The assembled application, not started.</summary>
    /// <exception cref="BadRequestException">The options cannot be served.</exception>
    public static WebApplication Build(ServerOptions options)
    {
        options.Checked();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(ServerHost).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = Environments.Production,
        });
        // Nothing comes from the environment or from files nearby: what is served is what was asked for.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.WebHost.UseUrls([.. options.Urls]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
        });
        AddLogging(builder.Logging);
        AddServices(builder.Services, options);

        var app = builder.Build();
        app.Services.GetRequiredService<StoreServing>();
        app.UseHostFiltering();
        app.UseSecurityHeaders();
        app.UseExceptionHandler("/error/500");
        app.UseWhen(http => !IsForPrograms(http), pages => pages.UseStatusCodePagesWithReExecute("/error/{0}"));
        app.UseWhen(IsForPrograms, api => api.UseStatusCodePages());
        app.UseRouting();
        app.UseAntiforgery();
        app.UseHangfireMount();
        app.Services.GetRequiredService<EmbeddedAssets>().Map(app);
        app.MapGet("/healthz", () => Results.Text("ok"));
        app.MapRazorPages();
        app.MapMedia();
        var api = app.MapGroup("/api/v1");
        api.MapStoreApi();
        api.MapRunsApi();
        api.MapSchedulesApi();
        api.MapLabelsApi();
        app.Map("/api/{**rest}", StoreApi.Missing);
        return app;
    }

    // The API and media answer errors as problem details, everything else with a page.
    private static bool IsForPrograms(HttpContext http) => http.Request.Path.StartsWithSegments("/api") || http.Request.Path.StartsWithSegments("/media");

    private static void AddServices(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(options);
        var store = Store.Open(options.StorePath, options.Ledger);
        services.AddSingleton(store);
        // Made by a factory: the container gives up the right to serve when the server ends.
        var serving = StoreServing.Begin(store);
        services.AddSingleton(_ => serving);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<EmbeddedAssets>();
        services.AddSingleton<ItemReader>();
        services.AddSingleton<MediaReader>();
        services.AddSingleton<ClusteringReader>();
        services.AddSingleton<LabelDesk>();
        services.AddSingleton(_ => new QueueTurns(store, options.Program));
        AddJobs(services, options);

        // A page of another site must not reach this one under a name of its own.
        services.Configure<HostFilteringOptions>(filter => filter.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);
        // Form tokens need to live as long as the process does, no longer.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddAntiforgery(form =>
        {
            form.Cookie.Name = "featureforge-form";
            form.Cookie.SameSite = SameSiteMode.Strict;
            form.HeaderName = "X-Form-Token";
        });
        services.AddProblemDetails();
        services.AddExceptionHandler<ApiProblems>();
        services.AddRouting(routing =>
        {
            routing.LowercaseUrls = true;
            routing.ConstraintMap["storename"] = typeof(StoreNameConstraint);
            routing.ConstraintMap["itemid"] = typeof(ItemIdConstraint);
            routing.ConstraintMap["runid"] = typeof(RunIdConstraint);
        });
        services.AddRazorPages(pages => pages.RootDirectory = "/Pages").AddApplicationPart(typeof(ServerHost).Assembly);
    }

    private static void AddJobs(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(provider => RunLedger.Open(provider.GetRequiredService<Store>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new DeskRules { AllowPrivateAddresses = options.AllowPrivateAddresses });
        services.AddSingleton<RunDesk>();
        services.AddSingleton(provider => new JobWakeUp(provider.GetService<JobHost>()));
        var queues = options.Roles.Where(role => role != "web").ToList();
        if (queues.Count > 0)
            services.AddSingleton(provider => JobHost.Start(provider.GetRequiredService<Store>(), new JobHostOptions { Queues = [.. queues, "default"] },
                provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>().CreateLogger("FeatureForge.Jobs")));
    }

    // Standard output belongs to the command line's results.
    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console => { console.SingleLine = true; console.TimestampFormat = "HH:mm:ss "; });
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Hangfire", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }
}
