// Hangfire's own dashboard at /hangfire: the access gate stands before it; viewers look, admins press buttons.
using FeatureForge.Data;
using FeatureForge.Jobs;
using Hangfire;
using Hangfire.Dashboard;
using Hangfire.InMemory;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace FeatureForge.Server;

/// <summary>Mounts Hangfire's dashboard.</summary>
public static class HangfireMount
{
    /// <summary>Shows the jobs of this process's host; an empty list where it has none.</summary>
    public static void UseHangfireMount(this WebApplication app)
    {
        var storage = app.Services.GetService<JobHost>()?.Storage ?? new InMemoryStorage();
        var options = new DashboardOptions
        {
            AppPath = "/",
            DashboardTitle = "FeatureForge · Hangfire",
            DisplayStorageConnectionString = false,
            Authorization = [],
            IsReadOnlyFunc = dashboard => !dashboard.GetHttpContext().May(AccessRole.Admin),
        };
        // Not by UseHangfireDashboard: that wants AddHangfire, which keeps the first server's loggers for the life of the process.
        app.Map("/hangfire", hangfire => hangfire.UseMiddleware<AspNetCoreDashboardMiddleware>(storage, options, DashboardRoutes.Routes));
    }
}
