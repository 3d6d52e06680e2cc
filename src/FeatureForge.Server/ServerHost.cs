// Puts the server together: store, pages, API, media, jobs. Everything the process listens to is mapped here.
using System.Threading.RateLimiting;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Labelling;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.OpenApi;

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
        builder.WebHost.UseKestrelHttpsConfiguration();
        // Without TLS a port speaks HTTP/1.1 or HTTP/2, so gRPC has one of its own.
        foreach (var (url, i) in options.Urls.Select((url, i) => (url, i))) builder.Configuration[$"Kestrel:Endpoints:{i}:Url"] = url;
        if (options.GrpcUrl is { } grpc) (builder.Configuration["Kestrel:Endpoints:grpc:Url"], builder.Configuration["Kestrel:Endpoints:grpc:Protocols"]) = (grpc, "Http2");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            if (options.Certificate is { } pem) kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(pem.Certificate, pem.Key));
        });
        AddLogging(builder.Logging, options.LogAsJson);
        AddServices(builder.Services, options);

        var app = builder.Build();
        app.Services.GetRequiredService<StoreServing>();
        RequireSomebody(app, options);
        app.UseForwardedHeaders();
        app.UseHostFiltering();
        app.UseSecurityHeaders();
        app.UseExceptionHandler("/error/500");
        app.UseWhen(http => !AccessGate.IsForPrograms(http), pages => pages.UseStatusCodePagesWithReExecute("/error/{0}"));
        app.UseWhen(AccessGate.IsForPrograms, api => api.UseStatusCodePages());
        app.UseRouting();
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseMiddleware<AccessGate>();
        app.UseAntiforgery();
        app.UseHangfireMount();
        app.Services.GetRequiredService<EmbeddedAssets>().Map(app);
        app.MapObservability();
        app.MapOpenApi("/api/{documentName}/openapi.json");
        app.MapGet("/healthz", () => Results.Text("ok")).AllowAnonymous();
        app.MapRazorPages();
        app.MapMedia();
        app.MapInference();
        app.MapGrpcService<GrpcInference>();
        // It gives, and takes nothing.
        app.MapFlightEndpoint().WithMetadata(new NeedsAttribute { Write = AccessRole.Viewer, IsAudited = false });
        if (options.IdentityProvider is not null)
            app.MapGet("/sign-in/provider", (string? next) => Results.Challenge(new() { RedirectUri = next is ['/', not ('/' or '\\'), ..] or "/" ? next : "/" }, [IdentityProvider.Scheme])).AllowAnonymous();
        var api = app.MapGroup("/api/v1");
        api.MapStoreApi();
        api.MapMapApi();
        api.MapBulkApi();
        api.MapRunsApi();
        api.MapSchedulesApi();
        api.MapPipelinesApi();
        api.MapLabelsApi();
        api.MapSelectionsApi();
        api.MapQualityApi();
        api.MapSearchApi();
        api.MapAccessApi();
        app.Map("/api/{**rest}", StoreApi.Missing);
        return app;
    }

    // A server that others reach and that nobody can sign in to serves nobody.
    private static void RequireSomebody(WebApplication app, ServerOptions options)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("FeatureForge.Server");
        if (options.IsLocal && !options.RequireSignIn) return;
        if (options.IdentityProvider is null && app.Services.GetRequiredService<RunLedger>().Access.Users().Count == 0)
            throw new BadRequestException($"Others are to reach this server ({string.Join(", ", options.Urls)}), and no user can sign in yet. Add an admin first: featureforge users add NAME --role admin. Or name an identity provider: --oidc-authority.");
        if (!options.IsLocal && options.Urls.Any(url => url.StartsWith("http://", StringComparison.OrdinalIgnoreCase)))
            log.LogWarning("Passwords and tokens travel unencrypted on {Urls}: put a proxy with TLS before it, or serve https with --certificate", string.Join(", ", options.Urls));
    }

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
        services.AddSingleton<SelectionDesk>();
        services.AddSingleton<CorpusReports>();
        services.AddSingleton(_ => new QueueTurns(store, options.Program));
        services.AddSingleton(_ => new InferenceHost(store, options.Program, options.Inference));
        services.AddSingleton<InferenceService>();
        services.AddSingleton<SearchDesk>();
        services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 128 << 20).AddFlightServer<ArrowFlight>();
        AddJobs(services, options);
        services.AddObservability();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = SpecJson.Line.PropertyNamingPolicy;
            foreach (var converter in SpecJson.Line.Converters) json.SerializerOptions.Converters.Add(converter);
        });
        services.AddOpenApi("v1", document =>
        {
            document.AddDocumentTransformer((described, _, _) =>
            {
                (described.Info.Title, described.Info.Version) = ("FeatureForge", InferenceService.ServerVersion);
                described.Info.Description = "Runs, corpora, encoders, embedding sets, clusterings, labels and search. Errors are problem details with every problem listed.";
                return Task.CompletedTask;
            });
            document.AddOperationTransformer(async (operation, context, stop) =>
            {
                if (context.Description.ActionDescriptor.EndpointMetadata.OfType<StoreApi.BodyMetadata>().FirstOrDefault() is { } body)
                    operation.RequestBody = new OpenApiRequestBody { Required = true, Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = await context.GetOrCreateSchemaAsync(body.Body, null, stop) } } };
            });
        });

        // A page of another site must not reach this one under a name of its own.
        services.Configure<HostFilteringOptions>(filter => filter.AllowedHosts = options.Hosts.Count > 0 ? [.. options.Hosts, "localhost", "127.0.0.1", "[::1]"] : options.IsLocal ? ["localhost", "127.0.0.1", "[::1]"] : ["*"]);
        // Of proxies, those on this machine are believed who they speak for.
        services.Configure<ForwardedHeadersOptions>(forwarded => forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto);
        AddAccess(services, options);
        services.AddDataProtection().SetApplicationName("featureforge");
        services.AddOptions<KeyManagementOptions>().Configure<RunLedger>((keys, ledger) => keys.XmlRepository = new FormKeys(ledger.Access));
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

    private static void AddAccess(IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton<SignInPolicy>();
        services.AddSingleton<SignInLimits>();
        var authentication = services.AddAuthentication(SecretHandler.SchemeName).AddScheme<AuthenticationSchemeOptions, SecretHandler>(SecretHandler.SchemeName, null);
        options.IdentityProvider?.AddTo(authentication);
        services.AddAuthorization();
        services.AddRateLimiter(limits =>
        {
            limits.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limits.OnRejected = (rejected, _) =>
            {
                rejected.HttpContext.Response.Headers.RetryAfter = "1";
                return ValueTask.CompletedTask;
            };
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(http => SignInLimits.OfChanges(http, http.RequestServices.GetRequiredService<SignInPolicy>()));
        });
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
    private static void AddLogging(ILoggingBuilder logging, bool asJson)
    {
        logging.ClearProviders();
        if (asJson) logging.AddJsonConsole(console => console.TimestampFormat = "O");
        else logging.AddSimpleConsole(console => { console.SingleLine = true; console.TimestampFormat = "HH:mm:ss "; });
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Hangfire", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }
}
