// Runs a theory on the embedded ledger and on PostgreSQL. Without PostgreSQL the second is left out, but never in CI.
using System.Reflection;
using Xunit.Sdk;

namespace FeatureForge.TestKit;

/// <summary>Gives the test the words "sqlite" and "postgres", for <see cref="TemporaryStore.On"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EveryLedgerAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        yield return ["sqlite"];
        if (ContinuousIntegration.IsOn || NeedsToolFactAttribute.IsPresent("pg")) yield return ["postgres"];
    }
}
