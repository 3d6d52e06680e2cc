// What a run has used, and what that comes to: processor seconds, device seconds, an estimate of energy, and money by a price table.
namespace FeatureForge.Data;

/// <summary>What all attempts at a run have used together.</summary>
/// <param name="CpuSeconds">Processor time of the worker and the programs it started and waited for.</param>
/// <param name="DeviceSeconds">Seconds during which a worker held an accelerator; 0 on the CPU.</param>
/// <param name="Device">The accelerator's name; null on the CPU.</param>
/// <param name="KilowattHours">Estimated: seconds times the watts of the price table; memory, idle cores and cooling are in its overhead.</param>
/// <param name="Cost">By the price table that was in force at the time, in its currency.</param>
public sealed record RunUsage(double CpuSeconds, double DeviceSeconds, string? Device, double KilowattHours, double Cost, string Currency);

/// <summary>prices.json in the store; what it leaves out has the values here.</summary>
public sealed record PriceTable
{
    /// <summary>For people: a word or sign.</summary>
    public string Currency { get; init; } = "EUR";
    /// <summary>Money per hour of one busy core.</summary>
    public double CpuCoreHour { get; init; } = 0.04;
    /// <summary>Money per hour of an accelerator that is not in <see cref="DeviceHours"/>.</summary>
    public double DeviceHour { get; init; } = 2.5;
    /// <summary>Money per hour by the accelerator's name, as `doctor` prints it.</summary>
    public IReadOnlyDictionary<string, double> DeviceHours { get; init; } = new Dictionary<string, double>();
    /// <summary>What a busy core draws: a server CPU of 200 W over 20 cores.</summary>
    public double WattsPerCore { get; init; } = 10;
    /// <summary>What a busy accelerator draws.</summary>
    public double WattsPerDevice { get; init; } = 500;
    /// <summary>Times what processors draw: everything else in the machine and around it.</summary>
    public double EnergyOverhead { get; init; } = 1;

    /// <summary>The store's table, or the usual values.</summary>
    /// <exception cref="BadRequestException">prices.json is no such table.</exception>
    public static PriceTable Of(Store store)
    {
        var path = store.PathOf("prices.json");
        try
        {
            var table = store.Read<PriceTable>(path) ?? new();
            double[] numbers = [table.CpuCoreHour, table.DeviceHour, table.WattsPerCore, table.WattsPerDevice, table.EnergyOverhead, .. table.DeviceHours.Values];
            return numbers.All(number => double.IsFinite(number) && number >= 0) ? table : throw new BadRequestException($"{store.PlaceOf(path)}: expected prices and watts of at least 0.");
        }
        catch (System.Text.Json.JsonException error) { throw new BadRequestException($"{store.PlaceOf(path)} is no price table: {error.Message}"); }
    }

    /// <summary>The store's table; the usual values where it cannot be read, which must keep neither runs from running nor pages from opening.</summary>
    /// <param name="say">Told what is wrong with it.</param>
    public static PriceTable OrUsual(Store store, Action<string>? say = null)
    {
        try { return Of(store); }
        catch (Exception error) when (error is BadRequestException or IOException)
        {
            say?.Invoke($"{error.Message} The usual prices are used.");
            return new();
        }
    }

    /// <summary>What is wrong with a budget, or null; none is fine.</summary>
    public static string? BudgetProblem(double? budget) =>
        budget is not { } amount || (amount > 0 && double.IsFinite(amount)) ? null : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"A budget of {amount}: expected an amount of more than 0.");

    /// <summary>What was used before, and this on top.</summary>
    public RunUsage Add(RunUsage? before, double cpuSeconds, double deviceSeconds, string? device)
    {
        var perHour = device is not null && DeviceHours.TryGetValue(device, out var known) ? known : DeviceHour;
        return new((before?.CpuSeconds ?? 0) + cpuSeconds, (before?.DeviceSeconds ?? 0) + deviceSeconds, device ?? before?.Device,
            (before?.KilowattHours ?? 0) + (cpuSeconds * WattsPerCore + deviceSeconds * WattsPerDevice) * EnergyOverhead / 3.6e6,
            (before?.Cost ?? 0) + (cpuSeconds * CpuCoreHour + deviceSeconds * perHour) / 3600, Currency);
    }
}
