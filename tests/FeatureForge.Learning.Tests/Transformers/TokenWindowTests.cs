// Windows over long documents: every token is answered for once, and never from the very edge of an overlap.
namespace FeatureForge.Learning.Tests;

public sealed class TokenWindowTests
{
    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 10)]
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    [InlineData(400, 10)]
    [InlineData(1000, 254)]
    [InlineData(5, 1)]
    public void Every_token_is_answered_for_exactly_once(int count, int longest)
    {
        var windows = TokenWindow.Of(count, longest).ToList();

        Assert.Equal(Enumerable.Range(0, count), windows.SelectMany(window => Enumerable.Range(window.From, window.To - window.From)));
        Assert.All(windows, window =>
        {
            Assert.InRange(window.Length, count == 0 ? 0 : 1, longest);
            Assert.InRange(window.From, window.Start, window.Start + window.Length);
            Assert.InRange(window.To, window.From, window.Start + window.Length);
        });
    }

    [Fact]
    public void Inside_a_document_a_token_has_an_eighth_of_a_window_on_either_side()
    {
        var windows = TokenWindow.Of(1000, 80).ToList();

        Assert.All(windows.Skip(1), window => Assert.True(window.From - window.Start >= 10));
        Assert.All(windows.SkipLast(1), window => Assert.True(window.Start + window.Length - window.To >= 10));
    }
}
