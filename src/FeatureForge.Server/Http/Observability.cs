// What the server tells about itself: metrics for Prometheus at /metrics, traces and metrics to an OpenTelemetry collector where
// OTEL_EXPORTER_OTLP_ENDPOINT names one, and /health for load balancers.
using System.Diagnostics.Metrics;
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FeatureForge.Server;

/// <summary>Metrics, traces and health.</summary>
public static class Observability
{
    /// <summary>Environment variable with the collector's address, as everywhere in OpenTelemetry.</summary>
    public const string CollectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly TimeSpan _countsLast = TimeSpan.FromSeconds(10);

    public static void AddObservability(this IServiceCollection services)
    {
        services.AddSingleton<ServerMeter>();
        var collector = Environment.GetEnvironmentVariable(CollectorVariable) is { Length: > 0 } address ? new Uri(address) : null;
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(Environment.GetEnvironmentVariable("OTEL_SERVICE_NAME") is { Length: > 0 } name ? name : "featureforge", serviceVersion: InferenceService.ServerVersion))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(ServerMeter.Name, JobTelemetry.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel").AddRuntimeInstrumentation().AddPrometheusExporter();
                if (collector is not null) metrics.AddOtlpExporter(otlp => otlp.Endpoint = collector);
            })
            .WithTracing(traces =>
            {
                traces.AddSource(JobTelemetry.Name).AddAspNetCoreInstrumentation(http => http.Filter = context => context.Request.Path != "/metrics" && !context.Request.Path.StartsWithSegments("/assets"));
                if (collector is not null) traces.AddOtlpExporter(otlp => otlp.Endpoint = collector);
            });
    }

    public static void MapObservability(this WebApplication app)
    {
        app.Services.GetRequiredService<ServerMeter>();
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapGet("/health", (RunLedger ledger, Store store) => Health(ledger, store)).AllowAnonymous();
    }

    // Says no more than whether it works: anybody may ask.
    private static IResult Health(RunLedger ledger, Store store)
    {
        try
        {
            _ = ledger.List(new() { Take = 1, State = RunState.Running });
            return store.ReadText(store.PathOf("store.json")) is not null ? Results.Json(new { status = "healthy" }) : Unhealthy("the store is gone");
        }
        catch (Exception error) when (error is not OutOfMemoryException) { return Unhealthy("the run ledger does not answer"); }

        static IResult Unhealthy(string reason) => Results.Json(new { status = "unhealthy", reason }, statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>The server's own numbers.</summary>
    public sealed class ServerMeter : IDisposable
    {
        public const string Name = "FeatureForge.Server";

        private readonly Meter _meter = new(Name);
        private readonly Lock _gate = new();
        private (DateTimeOffset At, IReadOnlyList<RunCount> Counts)? _runs;

        public ServerMeter(RunLedger ledger, InferenceHost inference, Store store, TimeProvider time)
        {
            _meter.CreateObservableGauge("featureforge.runs", () => Counts(ledger, time).Select(count => new Measurement<long>(count.Runs, new("kind", Word(count.Kind)), new("state", Word(count.State)))), description: "Runs in the ledger by kind and state.");
            _meter.CreateObservableCounter("featureforge.inference.requests", () => inference.Answered.Requests, description: "Inference requests that were answered.");
            _meter.CreateObservableCounter("featureforge.inference.items", () => inference.Answered.Items, description: "Items in them.");
            _meter.CreateObservableGauge("featureforge.store.free", () => new DriveInfo(store.Root).AvailableFreeSpace, unit: "By", description: "Free space where the store lies.");
        }

        // Counting a million runs takes a moment; a scraper that asks often gets the last count.
        private IReadOnlyList<RunCount> Counts(RunLedger ledger, TimeProvider time)
        {
            lock (_gate)
            {
                if (_runs is not { } known || time.GetUtcNow() - known.At > _countsLast) _runs = known = (time.GetUtcNow(), ledger.Count());
                return known.Counts;
            }
        }

        private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

        public void Dispose() => _meter.Dispose();
    }
}
