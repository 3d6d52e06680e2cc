// The pages in a real browser, at the sizes of a desk and of a phone: no error in its console, nothing wider than the
// screen, a map with points on it, curves that are drawn.
using FeatureForge.Data;
using FeatureForge.TestKit;
using Microsoft.Playwright;

namespace FeatureForge.Server.Tests;

public sealed class BrowserTests(FilledServer server) : IClassFixture<FilledServer>
{
    private IReadOnlyList<string> Pages =>
    [
        "/", "/corpora", "/corpora/mixed", "/corpora/mixed?view=about", "/corpora/mixed?view=quarantine", $"/corpora/mixed/items/{server.ItemOf(Modality.Audio).ItemId}",
        "/encoders", "/encoders/eyes", "/encoders/eyes/compare", "/sets", "/sets/eyes-mixed", "/clusterings", "/clusterings/groups?cluster=c.1",
        "/runs", $"/runs/{server.Runs.Failed}", "/schedules?stage=cluster", "/labels", "/schedules?stage=propagate", "/schedules?stage=fit", "/schedules?stage=predict",
        "/settings", "/search", $"/search?set=eyes-mixed&item={server.ItemOf(Modality.Image).ItemId}",
    ];

    [NeedsToolFact("chromium", "axe")]
    public async Task Nothing_keeps_people_from_using_a_page()
    {
        await using var browser = await Browser.StartAsync();
        var axe = await File.ReadAllTextAsync(NodeProgram.Axe!);
        var found = new List<string>();
        foreach (var (width, height, scheme) in new[] { (1440, 900, ColorScheme.Light), (390, 844, ColorScheme.Dark) })
        {
            var page = await browser.OpenForScriptsAsync(width, height, scheme);
            foreach (var address in Pages.Append("/clusterings/groups/map"))
            {
                await page.GotoAsync(server.Address + address, new() { WaitUntil = WaitUntilState.NetworkIdle });
                await page.EvaluateAsync(axe);
                var findings = await page.EvaluateAsync<string[]>("""
                    async () => (await axe.run()).violations.filter(one => one.impact === "serious" || one.impact === "critical")
                      .map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 120)).slice(0, 3).join(" ")}`)
                    """);
                found.AddRange(findings.Select(finding => $"{address} at {width}: {finding}"));
            }
        }
        Assert.Empty(found);
    }

    [NeedsToolFact("chromium")]
    public async Task Every_page_opens_without_an_error_at_both_sizes()
    {
        await using var browser = await Browser.StartAsync();
        foreach (var (width, height) in new[] { (1440, 900), (390, 844) })
        {
            var page = await browser.OpenAsync(width, height);
            foreach (var address in Pages.Concat(["/hangfire", "/hangfire/servers"]))
            {
                await page.GotoAsync(server.Address + address, new() { WaitUntil = WaitUntilState.Load });
                var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
                Assert.True(overflow <= 0, $"{address} is {overflow} pixels wider than a screen of {width}.");
            }
        }
        Assert.Empty(browser.Errors);
    }

    [NeedsToolFact("chromium")]
    public async Task The_map_draws_points_and_shows_the_item_that_is_pointed_at()
    {
        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync(1440, 900);
        await page.GotoAsync($"{server.Address}/clusterings/groups/map");
        await page.WaitForSelectorAsync(".map[data-ready]");
        await page.FocusAsync(".map canvas");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("#preview a");

        var drawn = await page.EvaluateAsync<int>("""
            () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(() => {
              const canvas = document.querySelector(".map canvas");
              const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height }).getContext("2d");
              copy.drawImage(canvas, 0, 0);
              const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
              resolve(pixels.filter((value, index) => index % 4 === 3 && value > 0).length);
            })))
            """);
        Assert.True(drawn > 3000, $"Only {drawn} pixels of the map are drawn.");
        Assert.Equal(5, await page.Locator(".legend li").CountAsync());
        Assert.Empty(browser.Errors);
    }

    [NeedsToolFact("chromium")]
    public async Task Points_inside_a_loop_are_labelled_and_coloured_by_it()
    {
        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync(1440, 900);
        await page.GotoAsync($"{server.Address}/clusterings/groups/map");
        await page.WaitForSelectorAsync(".map[data-ready]");
        var box = (await page.Locator(".map canvas").BoundingBoxAsync())!;

        await page.ClickAsync("[data-map=lasso]");
        await page.Mouse.MoveAsync(box.X + 4, box.Y + 40);
        await page.Mouse.DownAsync();
        foreach (var (x, y) in new[] { (box.Width - 4, 40f), (box.Width - 4, box.Height - 4), (4f, box.Height - 4) }) await page.Mouse.MoveAsync(box.X + x, box.Y + y, new() { Steps = 4 });
        await page.Mouse.UpAsync();
        await page.WaitForSelectorAsync("#selection:not([hidden])");
        var said = await page.InnerTextAsync("#selection h2");
        await page.FillAsync("#selection-set", "looped");
        await page.FillAsync("#selection-class", "inside");
        await page.ClickAsync("#selection button[type=submit]");
        await page.WaitForSelectorAsync("#selection [role=status]:has-text('labels given')");
        await page.ClickAsync("[data-selection=clear]");
        await page.SelectOptionAsync("#by", "media_type");
        await page.WaitForSelectorAsync(".legend li span:has-text('/')");

        Assert.Matches("^[0-9,]+ points selected$", said);
        Assert.Equal("inside", Assert.Single((await LabelLog.Existing(server.Store, "looped").ReadAsync(default)).Active.Select(row => row.Name).Distinct()));
        Assert.True(await page.IsHiddenAsync("#selection"));
        Assert.Empty(browser.Errors);
    }

    [NeedsToolFact("chromium")]
    public async Task A_condition_leaves_some_points_and_a_loop_around_all_keeps_those_as_a_selection()
    {
        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync(1440, 900);
        await page.GotoAsync($"{server.Address}/clusterings/groups/map");
        await page.WaitForSelectorAsync(".map[data-whole]");
        var box = (await page.Locator(".map canvas").BoundingBoxAsync())!;

        await page.FillAsync("#where", "nonsense > 3");
        await page.ClickAsync("#only button");
        await page.WaitForSelectorAsync(".map-status:has-text('is no column')");
        browser.Errors.Clear(); // the browser notes that the server refused
        await page.FillAsync("#where", "modality = 'audio'");
        await page.ClickAsync("#only button");
        await page.WaitForSelectorAsync(".map-status:has-text(' of 3,000 points')");
        var said = await page.InnerTextAsync(".map-status");
        await page.SelectOptionAsync("#by", "density");
        await page.WaitForSelectorAsync(".legend li span:has-text('points around')");
        await page.ClickAsync("[data-map=lasso]");
        await page.Mouse.MoveAsync(box.X + 4, box.Y + 40);
        await page.Mouse.DownAsync();
        foreach (var (x, y) in new[] { (box.Width - 4, 40f), (box.Width - 4, box.Height - 4), (4f, box.Height - 4) }) await page.Mouse.MoveAsync(box.X + x, box.Y + y, new() { Steps = 4 });
        await page.Mouse.UpAsync();
        await page.FillAsync("#selection-name", "heard");
        await page.ClickAsync("[data-form=keep] button");
        await page.WaitForSelectorAsync("#selection [role=status]:has-text('kept as heard')");

        var kept = SelectionDesk.ReadIds(server.Store, server.Store.Selection("heard"));
        Assert.Matches("^[0-9,]+ of 3,000 points$", said);
        Assert.InRange(kept.Count, 1, 12);
        Assert.All(server.Items.Where(item => kept.Contains(item.ItemId)), item => Assert.Equal(Modality.Audio, item.Modality));
        Assert.StartsWith("/corpora/mixed?where=", await page.GetAttributeAsync("[data-selection=show]", "href"));
        Assert.Empty(browser.Errors);
    }

    [NeedsToolFact("chromium")]
    public async Task People_label_by_keyboard_and_take_it_back()
    {
        await using var browser = await Browser.StartAsync();
        foreach (var (width, height, name) in new[] { (1440, 900, "by-desk"), (390, 844, "by-phone") })
        {
            var page = await browser.OpenAsync(width, height);
            await page.GotoAsync($"{server.Address}/labels/queue?name={name}&set=eyes-mixed");
            await page.WaitForSelectorAsync("#item-title a");
            async Task<string> ShownAsync() => await page.GetAttributeAsync("#item-title a", "href") ?? "";
            async Task ActAsync(string key, string counts)
            {
                await page.Keyboard.PressAsync(key);
                await page.WaitForFunctionAsync("counts => document.getElementById('counts').textContent === counts", counts);
            }
            var first = await ShownAsync();
            await page.Keyboard.PressAsync("/");
            await page.Keyboard.TypeAsync("round things");
            await ActAsync("Enter", "1 labelled, 47 left");
            var second = await ShownAsync();
            await ActAsync("1", "2 labelled, 46 left");
            await ActAsync("u", "1 labelled, 47 left");
            var again = await ShownAsync();
            await page.Keyboard.PressAsync("s");
            await page.WaitForFunctionAsync("address => document.querySelector('#item-title a').getAttribute('href') !== address", again);

            var active = (await LabelLog.Existing(server.Store, name).ReadAsync(default)).Active;
            Assert.Equal((second, true), (again, first != second));
            Assert.Equal(("round things", LabelSource.Person, first.Split('/')[^1]), (active.Single().Name, active.Single().Source, active.Single().TargetId));
            Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth") <= 0);
        }
        Assert.Empty(browser.Errors);
    }

    [NeedsToolFact("chromium")]
    public async Task Curves_are_drawn_and_a_stage_brings_its_fields()
    {
        await using var browser = await Browser.StartAsync();
        var page = await browser.OpenAsync(1440, 900);
        await page.GotoAsync($"{server.Address}/encoders/eyes");
        await page.WaitForSelectorAsync(".chart canvas");
        await page.GotoAsync($"{server.Address}/schedules");
        await page.Locator("input[name=stage][value=cluster]").CheckAsync(new() { Force = true });
        await page.WaitForSelectorAsync("#field-method");
        await page.Locator("input[name=when][value=cron]").CheckAsync();
        await page.WaitForSelectorAsync(".firings li");

        Assert.Equal(5, await page.Locator(".firings li").CountAsync());
        using var spec = System.Text.Json.JsonDocument.Parse("""{"units":1}""");
        var schedule = server.Ledger.Schedules.Create(new() { Name = "seldom", Cron = "0 3 1 1 *", Pipeline = FeatureForge.Jobs.RunDesk.Single(RunKind.Selftest, spec.RootElement) }, DateTimeOffset.UnixEpoch.AddYears(100));
        await page.GotoAsync($"{server.Address}/schedules");
        await page.Locator("summary", new() { HasText = "Which times" }).Last.ClickAsync();
        await page.WaitForSelectorAsync(".missed >> text=It has run at every time since");
        server.Ledger.Schedules.Delete(schedule.ScheduleId);
        Assert.Empty(browser.Errors);
    }

    /// <summary>Chromium of the system, headless, off every network but this machine's.</summary>
    private sealed class Browser : IAsyncDisposable
    {
        private readonly IPlaywright _playwright;
        private readonly IBrowser _browser;

        private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

        internal List<string> Errors { get; } = [];

        internal static async Task<Browser> StartAsync()
        {
            var playwright = await Playwright.CreateAsync();
            return new(playwright, await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = NeedsToolFactAttribute.Chromium,
                Args = ["--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
            }));
        }

        internal async Task<IPage> OpenAsync(int width, int height)
        {
            var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height } });
            page.Console += (_, message) => { if (message.Type == "error") Errors.Add($"{page.Url}: {message.Text}"); };
            page.PageError += (_, error) => Errors.Add($"{page.Url}: {error}");
            page.Response += (_, response) => { if (response.Status >= 400) Errors.Add($"{response.Url} answered {response.Status}."); };
            return page;
        }

        /// <summary>A page that lets a test's own script in, which the server's policy does not.</summary>
        internal async Task<IPage> OpenForScriptsAsync(int width, int height, ColorScheme scheme) =>
            await _browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme, BypassCSP = true });

        public async ValueTask DisposeAsync()
        {
            await _browser.DisposeAsync();
            _playwright.Dispose();
        }
    }
}
