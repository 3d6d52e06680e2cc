// Vectors by Arrow Flight, for clients that fetch parts side by side. A flight is one table of an embedding set, embeddings/SET/LEVEL/GRAIN;
// it has one endpoint per part, whose ticket names part and content.
using Apache.Arrow;
using Apache.Arrow.Flight;
using Apache.Arrow.Flight.Server;
using FeatureForge.Data;
using Grpc.Core;

namespace FeatureForge.Server;

/// <summary>arrow.flight.protocol.FlightService, to read from.</summary>
public sealed class ArrowFlight(Store store) : FlightServer
{
    private const string Room = "embeddings";

    /// <param name="request">Its expression, when there is one, is what the name of a set begins with.</param>
    public override async Task ListFlights(FlightCriteria request, IAsyncStreamWriter<FlightInfo> responseStream, ServerCallContext context)
    {
        var begin = request.Expression.ToStringUtf8();
        foreach (var set in store.Sets().Where(set => set.Name.StartsWith(begin, StringComparison.Ordinal)))
            foreach (var vectors in VectorBatches.All(store, set)) await responseStream.WriteAsync(Info(set.Name, vectors));
    }

    public override Task<FlightInfo> GetFlightInfo(FlightDescriptor request, ServerCallContext context)
    {
        var (set, vectors) = Asked(request);
        return Task.FromResult(Info(set, vectors));
    }

    public override Task<Schema> GetSchema(FlightDescriptor request, ServerCallContext context) => Task.FromResult(Asked(request).Vectors.Schema);

    public override async Task DoGet(FlightTicket ticket, FlightServerRecordBatchStreamWriter responseStream, ServerCallContext context)
    {
        // SET/LEVEL/GRAIN/SHA-256
        if (ticket.Ticket.ToStringUtf8().Split('/') is not [var set, var level, var grain, var hash]) throw Refusal(StatusCode.InvalidArgument, "This is no ticket of this server.");
        var vectors = Find(set, level, grain);
        if (vectors.Table.Parts.FirstOrDefault(part => part.Sha256 == hash) is not { } found) throw Refusal(StatusCode.NotFound, $"Embedding set '{set}' has changed since this ticket was given out; ask for its flight again.");
        await responseStream.SetupStream(vectors.Schema);
        foreach (var batch in vectors.Read([found]))
            using (batch) await responseStream.WriteAsync(batch);
    }

    private (string Set, VectorBatches Vectors) Asked(FlightDescriptor descriptor)
    {
        var path = descriptor.Type == FlightDescriptorType.Path ? [.. descriptor.Paths] : descriptor.Command.ToStringUtf8().Split('/');
        return path is [Room, var set, var level, var grain] ? (set, Find(set, level, grain))
            : throw Refusal(StatusCode.InvalidArgument, $"Flight '{string.Join('/', path)}' is unknown; expected {Room}/SET/LEVEL/GRAIN, for instance {Room}/calls/high/item.");
    }

    private VectorBatches Find(string set, string level, string grain)
    {
        try
        {
            return VectorBatches.Find(store, set, level, StoreApi.Word<Grain>("grain", grain) ?? Grain.Item) ?? throw Refusal(StatusCode.NotFound, $"There is no embedding set '{set}'.");
        }
        catch (BadRequestException error) { throw Refusal(StatusCode.InvalidArgument, error.Message); }
    }

    private static FlightInfo Info(string set, VectorBatches vectors)
    {
        var (table, grain) = (vectors.Table, vectors.Table.Grain.ToString().ToLowerInvariant());
        return new(vectors.Schema, FlightDescriptor.CreatePathDescriptor(Room, set, table.Level, grain),
            [.. table.Parts.Select(part => new FlightEndpoint(new FlightTicket($"{set}/{table.Level}/{grain}/{part.Sha256}"), []))], vectors.Rows ?? -1, table.Parts.Sum(part => part.Bytes));
    }

    private static RpcException Refusal(StatusCode code, string message) => new(new(code, message));
}
