// What to label next. First second opinions that somebody asked for; then, while labels are few, items that cover most of what is uncovered;
// later the items on whose class the labels so far agree least, spread over the space. Leases keep two people from the same item.
// Open it once per session: vectors and graph stay in memory between turns.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>The queue of one label set over one embedding set. Not safe for concurrent use; across processes the leases are.</summary>
public sealed class LabelQueue
{
    /// <summary>Items the queue chooses among; of larger sets a seeded sample, labelled items always in it.</summary>
    internal const int PoolRows = 20_000;
    private const int GraphNeighbours = 15;
    private readonly Store _store;
    private readonly QueueSpec _spec;
    private readonly TimeProvider _time;
    private readonly LabelVectors _vectors;
    private readonly LabelTree? _tree;
    private readonly ItemIdSet? _chosen;
    private readonly int[] _sampled;
    private (int Rows, AffinityGraph Graph)? _graph;

    private LabelQueue(Store store, QueueSpec spec, TimeProvider time, LabelVectors vectors, LabelTree? tree)
    {
        (_store, _spec, _time, _vectors, _tree) = (store, spec, time, vectors, tree);
        _chosen = spec.Selection is null ? null : SelectionDesk.ReadIds(store, Selection(store, spec));
        int[] rows = [.. Enumerable.Range(0, vectors.Rows).Where(row => MayAsk(vectors.ItemIds[row]))];
        _sampled = rows.Length <= PoolRows ? rows : [.. new Tensors.CounterRandom(spec.Seed).Stream(7).Sample(PoolRows, rows.Length).Select(at => rows[at])];
    }

    /// <summary>Reads the vectors and the tree.</summary>
    /// <exception cref="BadRequestException">The request is wrong or does not fit the store.</exception>
    public static async Task<LabelQueue> OpenAsync(Store store, QueueSpec spec, TimeProvider time, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var vectors = LabelVectors.Read(store, spec.Set, spec.Level, stop);
        return new(store, spec, time, vectors, await TreeOf(store, spec.Set, spec.Level, spec.Clustering, vectors.EncoderId, stop));
    }

    /// <summary>A queue over vectors in memory, without a tree.</summary>
    internal static LabelQueue Over(Store store, QueueSpec spec, TimeProvider time, LabelVectors vectors, LabelTree? tree = null) => new(store, spec, time, vectors, tree);

    /// <summary>The clustering that was named, else the set's only one of that level.</summary>
    /// <exception cref="BadRequestException">The clustering is of another encoder; both are named.</exception>
    internal static async Task<LabelTree?> TreeOf(Store store, string set, string level, string? clustering, string encoderId, CancellationToken stop)
    {
        if (clustering is null)
        {
            var fitting = store.Clusterings().Where(manifest => manifest.Set == set && manifest.Level == level && manifest.Grain == Grain.Item && manifest.EncoderId == encoderId).ToList();
            if (fitting.Count != 1) return null;
            clustering = fitting[0].Name;
        }
        var tree = await LabelTree.ReadAsync(store, clustering, stop);
        return tree.EncoderId == encoderId ? tree
            : throw new BadRequestException($"Clustering '{clustering}' is of encoder {tree.EncoderId}, embedding set '{set}' of encoder {encoderId}; they cannot be mixed. Cluster the set again, or name another clustering.");
    }

    private static SelectionManifest Selection(Store store, QueueSpec spec)
    {
        var (selection, corpus) = (store.Selection(spec.Selection!), store.Set(spec.Set).Corpus);
        return selection.Corpus == corpus ? selection : throw new BadRequestException($"Selection '{selection.Name}' is of corpus '{selection.Corpus}', embedding set '{spec.Set}' of '{corpus}'; name a selection of that corpus.");
    }

    private bool MayAsk(string itemId) => _chosen?.Contains(itemId) != false;

    /// <summary>Hands out the next items to one person and holds them for the time of the lease; items the person holds already come first.</summary>
    public async Task<QueueTurn> NextAsync(string author, int count, TimeSpan lease, CancellationToken stop)
    {
        if (string.IsNullOrWhiteSpace(author)) throw new BadRequestException("The queue needs to know who labels.");
        if (count < 1) throw new BadRequestException($"Asked for {count} items; expected at least 1.");
        var state = await LabelLog.Of(_store, _spec.LabelSet).ReadGivenAsync(stop);
        using var leases = QueueLeases.Open(_store, _spec.LabelSet, _time);
        var (phase, byId, taken) = ("", new Dictionary<string, Ranked>(StringComparer.Ordinal), (IReadOnlyList<string>)[]);
        // Others may have taken what was ranked: rank again among what is left, a few times at most.
        for (var attempt = 0; attempt < 5 && taken.Count < count; attempt++)
        {
            (phase, var ranked) = Rank(state, leases.Answers(), leases.Held(), author, count, stop);
            byId.Clear();
            foreach (var entry in ranked) byId.TryAdd(entry.ItemId, entry);
            taken = leases.Take(byId.Keys, author, count, lease);
            if (byId.Count <= taken.Count) break;
        }
        var known = await KnownItems.ReadAsync(_store, _store.FindSet(_spec.Set)?.Corpus, taken.ToHashSet(StringComparer.Ordinal).Contains, stop);
        var until = _time.GetUtcNow() + lease;
        var given = LabelDecisions.OfItemsGiven(state);
        return new(_spec.LabelSet, _spec.Set, phase, given.Count, _vectors.ItemIds.Count(id => !given.ContainsKey(id) && MayAsk(id)), [.. taken.Select(id => Entry(byId[id], known.GetValueOrDefault(id), until))]);
    }

    /// <summary>Notes that a person does not label an item now.</summary>
    public void Answer(string itemId, string author, QueueAnswer answer, TimeSpan? putOff = null)
    {
        using var leases = QueueLeases.Open(_store, _spec.LabelSet, _time);
        leases.Answer(itemId, author, answer, answer == QueueAnswer.Defer ? _time.GetUtcNow() + (putOff ?? TimeSpan.FromDays(1)) : null);
    }

    internal sealed record Ranked(string ItemId, string Kind, string Reason, float Score, IReadOnlyList<QueueSuggestion> Suggestions);

    /// <summary>Candidates in the order they should be asked, more than asked for, since others may take some.</summary>
    internal (string Phase, IReadOnlyList<Ranked> Entries) Rank(LabelState state, IReadOnlyList<QueueAnswerRow> answers, IReadOnlyDictionary<string, string> held, string author, int count, CancellationToken stop)
    {
        var given = LabelDecisions.OfItemsGiven(state);
        var refused = answers.Where(answer => answer.Answer == QueueAnswer.Defer || answer.Author == author).Select(answer => answer.TargetId).ToHashSet(StringComparer.Ordinal);
        bool Free(string id) => MayAsk(id) && !refused.Contains(id) && (!held.TryGetValue(id, out var by) || by == author);

        // Of what this person holds already nothing is lost when the queue is asked again.
        var mine = held.Where(pair => pair.Value == author && !given.ContainsKey(pair.Key) && _vectors.RowOf(pair.Key) >= 0 && Free(pair.Key)).Select(pair => pair.Key).Order(StringComparer.Ordinal)
            .Select(id => new Ranked(id, "coverage", "You have it already and have not answered yet.", 0, [])).ToList();
        var opinions = SecondOpinions(given, answers, author).Where(entry => Free(entry.ItemId)).ToList();
        var pool = Pool(given);
        var labels = pool.Select((row, i) => (Id: _vectors.ItemIds[row], Place: i)).Where(pair => given.ContainsKey(pair.Id)).ToDictionary(pair => pair.Place, pair => given[pair.Id].Name);
        var classes = labels.Values.Distinct().Order(StringComparer.Ordinal).ToList();
        bool May(int place) => !labels.ContainsKey(place) && Free(_vectors.ItemIds[pool[place]]);
        var wanted = count + 16;
        var phase = IsCold(labels.Count, classes.Count) ? "coverage" : "uncertain";
        var single = phase == "coverage" ? Coverage(pool, labels.Keys, May, wanted, count, stop) : Uncertain(pool, labels, classes, May, wanted, stop);
        return (phase, [.. mine, .. opinions, .. single]);
    }

    // Few labels say little about what is uncertain: cover first, until there are about four labels per class, twenty at least.
    private static bool IsCold(int labels, int classes) => labels < Math.Max(20, 4 * classes);

    private IEnumerable<Ranked> SecondOpinions(IReadOnlyDictionary<string, LabelDecision> given, IReadOnlyList<QueueAnswerRow> answers, string author)
    {
        var doubted = answers.Where(answer => answer.Answer == QueueAnswer.Disagree).Select(answer => answer.TargetId).ToHashSet(StringComparer.Ordinal);
        return given.Values.Where(decision => (decision.Disputed || (doubted.Contains(decision.TargetId) && decision.Voters.Count < 3)) && !decision.Voters.Contains(author))
            .OrderBy(decision => decision.TargetId, StringComparer.Ordinal)
            .Select(decision => new Ranked(decision.TargetId, "second_opinion",
                decision.Disputed ? $"{decision.Voters.Count} people have labelled it and disagree; your word decides." : "Somebody doubts the label it has; what do you say?", decision.Voters.Count, []));
    }

    private int[] Pool(IReadOnlyDictionary<string, LabelDecision> given)
    {
        if (_sampled.Length == _vectors.Rows) return _sampled;
        return [.. given.Keys.Select(_vectors.RowOf).Where(row => row >= 0).Concat(_sampled).Distinct().Order()];
    }

    private List<Ranked> Coverage(int[] pool, IReadOnlyCollection<int> labelled, Func<int, bool> may, int wanted, int asked, CancellationToken stop)
    {
        // The width suits the leaves of the tree, or as many regions as labels so far and to come.
        var regions = Math.Max(labelled.Count + asked, Math.Min(200, _tree?.Nodes.Count ?? 20));
        var values = pool.Length == _vectors.Rows ? _vectors.Values : _vectors.Gather(pool);
        return [.. Herding.Pick(values, pool.Length, _vectors.Dimension, _vectors.Metric, labelled, may, wanted, regions, _spec.Seed, stop)
            .Select(pick => new Ranked(_vectors.ItemIds[pool[pick.Row]], "coverage",
                FormattableString.Invariant($"Typical of a part that no label covers yet: it would cover another {100 * pick.Gain:0.0} % of the set."), pick.Gain, []))];
    }

    private List<Ranked> Uncertain(int[] pool, IReadOnlyDictionary<int, string> labels, List<string> classes, Func<int, bool> may, int wanted, CancellationToken stop)
    {
        if (_graph?.Rows != pool.Length)
            _graph = (pool.Length, AffinityGraph.Of(pool.Length == _vectors.Rows ? _vectors.Values : _vectors.Gather(pool), pool.Length, _vectors.Dimension, _vectors.Metric, GraphNeighbours, _spec.Device, stop));
        var graph = _graph.Value.Graph;
        var spread = LabelSpreading.Run(graph, labels.ToDictionary(pair => pair.Key, pair => (classes.IndexOf(pair.Value), 1f)), classes.Count, new(), stop);
        // Uncertain and typical: an outlier is uncertain for ever and teaches nothing about others.
        var open = Enumerable.Range(0, pool.Length).Where(may)
            .Select(place => (Place: place, Worth: (1 - spread.Best(place).Margin) * graph.Typicality[place]))
            .OrderByDescending(pair => pair.Worth).ThenBy(pair => pair.Place).Take(Math.Max(10 * wanted, 200)).ToList();
        return [.. Spread(open, pool, wanted).Select(place =>
        {
            var best = spread.Best(place);
            var likely = Enumerable.Range(0, classes.Count).Where(c => spread[place][c] > 0).OrderByDescending(c => spread[place][c]).Take(3).Select(c => new QueueSuggestion(classes[c], spread[place][c])).ToList();
            var reason = likely.Count > 1 ? FormattableString.Invariant($"The labels so far cannot tell {likely[0].Name} ({likely[0].Probability:P0}) from {likely[1].Name} ({likely[1].Probability:P0}).")
                : likely.Count == 1 ? "Far from what has been labelled." : "No label reaches it yet.";
            return new Ranked(_vectors.ItemIds[pool[place]], "uncertain", reason, best.Margin, likely);
        })];
    }

    // Greedy k-centre among the uncertain (Sener, Savarese 2018), weighed by how uncertain: the next one is worth its uncertainty times its distance to the picks.
    private List<int> Spread(List<(int Place, float Worth)> open, int[] pool, int wanted)
    {
        var picks = new List<int>();
        var nearest = new float[open.Count];
        Array.Fill(nearest, 1f);
        var used = new bool[open.Count];
        while (picks.Count < Math.Min(wanted, open.Count))
        {
            var best = -1;
            for (var i = 0; i < open.Count; i++)
                if (!used[i] && (best < 0 || open[i].Worth * nearest[i] > open[best].Worth * nearest[best])) best = i;
            used[best] = true;
            picks.Add(open[best].Place);
            for (var i = 0; i < open.Count; i++) nearest[i] = Math.Min(nearest[i], Difference(pool[open[i].Place], pool[open[best].Place]));
        }
        return picks;
    }

    // 1 - cosine, clamped to [0,1], whatever the metric: only the ranking among uncertain items depends on it.
    private float Difference(int a, int b)
    {
        var left = _vectors[a];
        var right = _vectors[b];
        double product = 0, first = 0, second = 0;
        for (var d = 0; d < left.Length; d++)
        {
            product += left[d] * right[d];
            first += left[d] * left[d];
            second += right[d] * right[d];
        }
        return (float)Math.Clamp(1 - product / Math.Sqrt(Math.Max(first * second, 1e-30)), 0, 1);
    }

    private QueueEntry Entry(Ranked ranked, KnownItem? item, DateTimeOffset until)
    {
        var leaf = _tree?.Paths.GetValueOrDefault(ranked.ItemId)?[^1];
        return new(ranked.ItemId, item?.Path ?? "", item?.Modality, ranked.Kind, ranked.Reason, ranked.Score, leaf, leaf is null ? null : _tree!.Find(leaf)?.Name, ranked.Suggestions, until);
    }
}
