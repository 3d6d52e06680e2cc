// A transformer block written once more with plain loops in double precision, from the formulas alone.
using TorchSharp;

namespace FeatureForge.Learning.Tests;

internal sealed class TransformerReference(IReadOnlyDictionary<string, torch.Tensor> state, TransformerSpec spec)
{
    private double[] Values(string name) => [.. state[name].to(torch.float64).contiguous().data<double>()];

    private double[][] Linear(double[][] rows, string name)
    {
        var (weight, bias) = (Values(name + ".weight"), state.ContainsKey(name + ".bias") ? Values(name + ".bias") : null);
        var (to, from) = ((int)state[name + ".weight"].shape[0], (int)state[name + ".weight"].shape[1]);
        return [.. rows.Select(row => Enumerable.Range(0, to).Select(o => (bias?[o] ?? 0) + Enumerable.Range(0, from).Sum(i => weight[o * from + i] * row[i])).ToArray())];
    }

    private double[] Norm(double[] row, string name)
    {
        var (weight, bias) = (Values(name + ".weight"), Values(name + ".bias"));
        var mean = row.Average();
        var deviation = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + spec.NormEpsilon);
        return [.. row.Select((value, i) => (value - mean) / deviation * weight[i] + bias[i])];
    }

    private double[][] Norms(double[][] rows, string name) => [.. rows.Select(row => Norm(row, name))];

    private double[][] Attention(double[][] rows, string name, bool[]? visible)
    {
        var all = Linear(rows, name + ".qkv");
        var (width, head) = (spec.Width, spec.HeadWidth);
        var mixed = rows.Select(_ => new double[width]).ToArray();
        for (var h = 0; h < spec.Heads; h++)
        {
            double[] Part(int token, int part) => all[token][(part * width + h * head)..(part * width + (h + 1) * head)];
            var (query, key, value) = (rows.Select((_, t) => Part(t, 0)).ToArray(), rows.Select((_, t) => Part(t, 1)).ToArray(), rows.Select((_, t) => Part(t, 2)).ToArray());
            if (spec.QueryKeyNorm) (query, key) = (Norms(query, name + ".query_norm"), Norms(key, name + ".key_norm"));
            if (spec.Positions == PositionKind.Rotary) (query, key) = (Turned(query), Turned(key));
            for (var t = 0; t < rows.Length; t++)
            {
                var weights = rows.Select((_, s) => visible is null || visible[s] ? Math.Exp(Enumerable.Range(0, head).Sum(i => query[t][i] * key[s][i]) / Math.Sqrt(head)) : 0).ToArray();
                for (var i = 0; i < head; i++) mixed[t][h * head + i] = rows.Select((_, s) => weights[s] * value[s][i]).Sum() / weights.Sum();
            }
        }
        return Linear(mixed, name + ".output");
    }

    // A sequence: place t turns the pair (i, i + half) by t * 10000^(-i / half).
    private static double[][] Turned(double[][] rows) => [.. rows.Select((row, place) =>
    {
        var half = row.Length / 2;
        return Enumerable.Range(0, row.Length).Select(i =>
        {
            var angle = place * Math.Pow(10_000, -(double)(i % half) / half);
            return i < half ? row[i] * Math.Cos(angle) - row[i + half] * Math.Sin(angle) : row[i] * Math.Cos(angle) + row[i - half] * Math.Sin(angle);
        }).ToArray();
    })];

    private double[][] Linears(double[][] rows, string block) =>
        Linear([.. Linear(rows, block + ".rise").Select(row => row.Select(Gelu).ToArray())], block + ".fall");

    private static double Gelu(double x) => x * 0.5 * (1 + Erf(x / Math.Sqrt(2)));

    // Series of the error function; converges for the small values met here.
    private static double Erf(double x)
    {
        var (term, sum) = (x, x);
        for (var n = 1; n < 60; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private double[][] Sum(double[][] rows, double[][] branch, string scale)
    {
        var factor = state.ContainsKey(scale) ? Values(scale) : null;
        return [.. rows.Select((row, t) => row.Select((value, i) => value + branch[t][i] * (factor?[i] ?? 1)).ToArray())];
    }

    public double[][] Block(double[][] rows, string block, bool[]? visible = null)
    {
        if (!spec.PreNorm)
        {
            var first = Norms(Sum(rows, Attention(rows, block + ".attention", visible), block + ".attention_scale"), block + ".attention_norm");
            return Norms(Sum(first, Linears(first, block), block + ".mlp_scale"), block + ".mlp_norm");
        }
        var attended = Sum(rows, Attention(Norms(rows, block + ".attention_norm"), block + ".attention", visible), block + ".attention_scale");
        return Sum(attended, Linears(Norms(attended, block + ".mlp_norm"), block), block + ".mlp_scale");
    }

    /// <summary>Tokens after every block, the last one normalised when the trunk does.</summary>
    public List<double[][]> Trunk(double[][] rows, bool[]? visible = null)
    {
        var outputs = new List<double[][]>();
        for (var block = 0; block < spec.Depth; block++) outputs.Add(rows = Block(rows, $"blocks.{block}", visible));
        if (spec.PreNorm) outputs[^1] = Norms(rows, "norm");
        return outputs;
    }
}
