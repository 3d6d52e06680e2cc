// The baseline for texts that needs no training: TF-IDF rows over the whole vocabulary, compared sparsely.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>TF-IDF of labelled documents: nearest neighbours through an inverted index, linear probe through a sparse matrix.</summary>
internal sealed class TfIdfBaseline
{
    private const int MostWords = 200_000;

    private readonly Vocabulary _words;
    private readonly Dictionary<string, (int Token, float Weight)[]> _rows = new(StringComparer.Ordinal);

    public TfIdfBaseline(PreparedCorpus corpus, IReadOnlySet<string> items, CancellationToken stop)
    {
        _words = Vocabulary.Fit(corpus, MostWords, buckets: 1, stop);
        var rarity = TermWeights.InverseFrequency(corpus, _words.Encode, _words.Size, stop);
        rarity[^1] = 0; // all words met once share a bucket that says nothing
        for (var item = 0; item < corpus.Count; item++)
            if (items.Contains(corpus.ItemId(item))) _rows[corpus.ItemId(item)] = Row(_words.Encode(corpus.Text(item)), rarity);
    }

    public int Dimension => _words.Size;

    public double KnnAccuracy(IReadOnlyList<string> train, IReadOnlyList<int> trainLabels, IReadOnlyList<string> test, IReadOnlyList<int> testLabels, int classes, CancellationToken stop)
    {
        var postings = new Dictionary<int, List<(int Row, float Weight)>>();
        for (var row = 0; row < train.Count; row++)
        {
            foreach (var (token, weight) in _rows[train[row]])
            {
                if (!postings.TryGetValue(token, out var list)) postings[token] = list = [];
                list.Add((row, weight));
            }
        }
        var right = 0;
        var scores = new float[train.Count];
        for (var query = 0; query < test.Count; query++)
        {
            stop.ThrowIfCancellationRequested();
            Array.Clear(scores);
            foreach (var (token, weight) in _rows[test[query]])
                if (postings.TryGetValue(token, out var list))
                    foreach (var (row, other) in list) scores[row] += weight * other;
            var nearest = Largest(scores, NeighbourVote.K).Select(row => (trainLabels[row], scores[row]));
            if (NeighbourVote.Winner(nearest, classes) == testLabels[query]) right++;
        }
        return right / (double)test.Count;
    }

    public double LinearAccuracy(IReadOnlyList<string> train, IReadOnlyList<int> trainLabels, IReadOnlyList<string> test, IReadOnlyList<int> testLabels, int classes)
    {
        using var scope = NewDisposeScope();
        var strength = LinearProbe.ChooseStrength(rows => Matrix([.. rows.Select(row => train[row])]), trainLabels, classes);
        return LinearProbe.Accuracy(Matrix(train), trainLabels, Matrix(test), testLabels, classes, strength);
    }

    // Sparse [N, words + 1], the last column ones.
    private Tensor Matrix(IReadOnlyList<string> items)
    {
        var (rows, columns, values) = (new List<long>(), new List<long>(), new List<float>());
        void Add(int row, int column, float value)
        {
            rows.Add(row);
            columns.Add(column);
            values.Add(value);
        }
        for (var row = 0; row < items.Count; row++)
        {
            foreach (var (token, weight) in _rows[items[row]]) Add(row, token, weight);
            Add(row, Dimension, 1);
        }
        long[] places = [.. rows, .. columns];
        return sparse_coo_tensor(HostCopies.ToTensor(places, [2, values.Count], CPU), HostCopies.ToTensor(values.ToArray(), [values.Count], CPU), [items.Count, Dimension + 1]);
    }

    private static (int Token, float Weight)[] Row(int[] tokens, float[] rarity)
    {
        var bag = TokenBag.Of(tokens);
        return [.. bag.Numbers.Zip(TermWeights.Of(bag, rarity)).Where(entry => entry.Second > 0)];
    }

    private static IEnumerable<int> Largest(float[] scores, int count)
    {
        var queue = new PriorityQueue<int, (float, int)>();
        for (var row = 0; row < scores.Length; row++)
        {
            if (scores[row] <= 0) continue;
            if (queue.Count < count) queue.Enqueue(row, (scores[row], -row));
            else queue.EnqueueDequeue(row, (scores[row], -row));
        }
        return queue.UnorderedItems.Select(entry => entry.Element).Order();
    }
}
