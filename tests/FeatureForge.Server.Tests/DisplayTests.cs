// Numbers as people read them.
namespace FeatureForge.Server.Tests;

public sealed class DisplayTests
{
    [Theory]
    [InlineData(0, "0 EUR")]
    [InlineData(0.00009, "under 0.0001 EUR")]
    [InlineData(0.0075, "0.0075 EUR")]
    [InlineData(0.48239, "0.4824 EUR")]
    [InlineData(12.3456, "12.35 EUR")]
    [InlineData(1234.2, "1,234 EUR")]
    public void Money_has_no_exponent(double amount, string expected) => Assert.Equal(expected, Display.Money(amount, "EUR"));
}
