// Inference by the Open Inference Protocol from the real server: REST with JSON and binary tensors, gRPC, wrong requests, many clients, a killed process.
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Apache.Arrow.Flight;
using Apache.Arrow.Flight.Client;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Server;
using FeatureForge.Server.OpenInference;
using FeatureForge.TestKit;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using FixedSizeListArray = Apache.Arrow.FixedSizeListArray;
using FloatArray = Apache.Arrow.FloatArray;
using StringArray = Apache.Arrow.StringArray;

namespace FeatureForge.EndToEnd.Tests;

/// <summary>A server with a small encoder of pictures.</summary>
public sealed class ServedPictures : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private FeatureForgeProgram _server = null!;

    public HttpClient Http { get; private set; } = null!;
    public string GrpcAddress { get; private set; } = "";
    public EncoderManifest Encoder { get; private set; } = null!;
    public IReadOnlyList<byte[]> Pictures { get; private set; } = [];
    public Store Store { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var store = Path.Combine(_folder.Path, "store");
        var sample = SampleCorpus.Write(Modality.Image, Path.Combine(_folder.Path, "raw"), 60, seed: 3);
        foreach (var arguments in new string[][] { ["ingest", sample.SourcePath, "--corpus", "c"], ["train", "--corpus", "c", "--encoder", "e", "--steps", "3"], ["extract", "--corpus", "c", "--encoder", "e"] })
        {
            var outcome = await FeatureForgeProgram.RunAsync(store, arguments);
            Assert.True(outcome.ExitCode == 0, outcome.Errors);
        }
        Store = Store.Open(store);
        Encoder = Store.Encoder("e");
        Pictures = [.. Directory.EnumerateFiles(sample.SourcePath, "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Take(8).Select(File.ReadAllBytes)];
        var (port, grpc) = (FreePort.Find(), FreePort.Find());
        _server = FeatureForgeProgram.Start(store, "serve", "--port", $"{port}", "--grpc-port", $"{grpc}", "--roles", "web");
        Http = new() { BaseAddress = new($"http://127.0.0.1:{port}") };
        GrpcAddress = $"http://127.0.0.1:{grpc}";
        await FeatureForgeProgram.UntilAsync(IsUp, up => up);
    }

    private bool IsUp()
    {
        try
        {
            using var answer = Http.Send(new(HttpMethod.Get, "/v2/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException) { return false; }
    }

    /// <summary>Vectors of the store by item id.</summary>
    public Dictionary<string, float[]> Stored(string level)
    {
        var table = Store.Set("e").Tables.Single(table => table.Level == level && table.Grain == Grain.Item);
        return table.Parts.SelectMany(part => EmbeddingTable.Read(Path.Combine(Store.SetFolder("e"), part.Path)))
            .SelectMany(block => Enumerable.Range(0, block.Rows).Select(i => (Id: block.ItemIds[i], Vector: block.Vectors.AsSpan(i * block.Dimension, block.Dimension).ToArray()))).ToDictionary(row => row.Id, row => row.Vector);
    }

    public Task DisposeAsync()
    {
        Http.Dispose();
        _server.Dispose();
        _folder.Dispose();
        return Task.CompletedTask;
    }
}

public sealed class ServingTests(ServedPictures served) : IClassFixture<ServedPictures>
{
    private float[] Expected(string level, int picture) => served.Stored(level)[ContentId.Sha256(served.Pictures[picture])[..32]];

    private static object Json(params byte[][] pictures) => new
    {
        id = "seven",
        inputs = new[] { new { name = "content", datatype = "BYTES", shape = new[] { pictures.Length }, data = pictures.Select(Convert.ToBase64String) } },
        outputs = new[] { new { name = "high" }, new { name = "raw" } },
    };

    private Task<HttpResponseMessage> InferAsync(object request, string model = "e") => served.Http.PostAsJsonAsync($"/v2/models/{model}/infer", request);

    private static void AssertEqual(float[] expected, IEnumerable<float> found) => Assert.True(expected.Zip(found).Max(pair => Math.Abs(pair.First - pair.Second)) <= 1e-5);

    [Fact]
    public async Task Json_gives_the_vectors_of_the_store()
    {
        var answer = await InferAsync(Json([.. served.Pictures]));
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.True(answer.IsSuccessStatusCode, json.ToString());
        Assert.Equal(("e", served.Encoder.EncoderId, "seven"), (json.GetProperty("model_name").GetString(), json.GetProperty("model_version").GetString(), json.GetProperty("id").GetString()));
        foreach (var output in json.GetProperty("outputs").EnumerateArray())
        {
            var dimension = output.GetProperty("shape")[1].GetInt32();
            var values = output.GetProperty("data").EnumerateArray().Select(value => value.GetSingle()).ToArray();
            Assert.Equal(8 * dimension, values.Length);
            for (var i = 0; i < 8; i++) AssertEqual(Expected(output.GetProperty("name").GetString()!, i), values.Skip(i * dimension).Take(dimension));
        }
    }

    [Fact]
    public async Task Binary_tensors_go_both_ways()
    {
        var tensor = ServedEncoder.Pack(served.Pictures);
        var head = Encoding.UTF8.GetBytes($$$"""{"parameters":{"binary_data_output":true},"inputs":[{"name":"content","datatype":"BYTES","shape":[8],"parameters":{"binary_data_size":{{{tensor.Length}}}}}]}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/models/e/versions/{served.Encoder.EncoderId}/infer") { Content = new ByteArrayContent([.. head, .. tensor]) };
        request.Headers.Add("Inference-Header-Content-Length", $"{head.Length}");

        using var answer = await served.Http.SendAsync(request);
        var body = await answer.Content.ReadAsByteArrayAsync();
        var length = int.Parse(answer.Headers.GetValues("Inference-Header-Content-Length").Single(), System.Globalization.CultureInfo.InvariantCulture);
        var output = JsonDocument.Parse(body.AsMemory(0, length)).RootElement.GetProperty("outputs")[0];
        var (level, dimension) = (output.GetProperty("name").GetString()!, output.GetProperty("shape")[1].GetInt32());
        var values = MemoryMarshal.Cast<byte, float>(body.AsSpan(length)).ToArray();

        for (var i = 0; i < 8; i++) AssertEqual(Expected(level, i), values.Skip(i * dimension).Take(dimension));
    }

    [Fact]
    public async Task Grpc_gives_the_vectors_of_the_store()
    {
        using var channel = GrpcChannel.ForAddress(served.GrpcAddress);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        var metadata = await client.ModelMetadataAsync(new() { Name = "e" });
        var request = new ModelInferRequest { ModelName = "e", Id = "x" };
        var input = new ModelInferRequest.Types.InferInputTensor { Name = "content", Datatype = "BYTES", Contents = new() };
        input.Shape.Add(2);
        input.Contents.BytesContents.AddRange(served.Pictures.Take(2).Select(picture => ByteString.CopyFrom(picture)));
        request.Inputs.Add(input);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "mid" });

        var answer = await client.ModelInferAsync(request);
        input.Contents = null;
        request.RawInputContents.Add(ByteString.CopyFrom(ServedEncoder.Pack([.. served.Pictures.Take(2)])));
        var raw = await client.ModelInferAsync(request);
        var missing = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(new() { ModelName = "nothing" }));
        var wrong = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(new() { ModelName = "e" }));

        Assert.True((await client.ServerReadyAsync(new())).Ready);
        Assert.Equal(["content", "pixels"], metadata.Inputs.Select(one => one.Name));
        var dimension = (int)answer.Outputs[0].Shape[1];
        AssertEqual(Expected("mid", 1), answer.Outputs[0].Contents.Fp32Contents.Skip(dimension));
        AssertEqual(Expected("mid", 1), MemoryMarshal.Cast<byte, float>(raw.RawOutputContents[0].Span).ToArray().Skip(dimension));
        Assert.Equal((StatusCode.NotFound, StatusCode.InvalidArgument), (missing.StatusCode, wrong.StatusCode));
    }

    [Fact]
    public async Task Arrow_flight_gives_the_vectors_of_the_store()
    {
        using var channel = GrpcChannel.ForAddress(served.GrpcAddress); // with the usual limit of 4 MB a message
        var client = new FlightClient(channel);
        using var listing = client.ListFlights();
        var flights = await listing.ResponseStream.ReadAllAsync().Select(flight => string.Join('/', flight.Descriptor.Paths)).ToListAsync();
        var info = await client.GetInfo(FlightDescriptor.CreatePathDescriptor("embeddings", "e", "high", "item"));
        var found = new Dictionary<string, float[]>();
        foreach (var endpoint in info.Endpoints)
        {
            using var stream = client.GetStream(endpoint.Ticket);
            while (await stream.ResponseStream.MoveNext(default))
            {
                using var batch = stream.ResponseStream.Current;
                var (ids, vectors) = ((StringArray)batch.Column("item_id"), (FixedSizeListArray)batch.Column("vector"));
                for (var row = 0; row < batch.Length; row++) found[ids.GetString(row)] = ((FloatArray)vectors.GetSlicedValues(row)).Values.ToArray();
            }
        }
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await client.GetInfo(FlightDescriptor.CreatePathDescriptor("embeddings", "nothing", "high", "item")));
        var misshapen = await Assert.ThrowsAsync<RpcException>(async () => await client.GetInfo(FlightDescriptor.CreateCommandDescriptor("../../catalog.db")));
        var stale = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            using var stream = client.GetStream(new FlightTicket("e/high/item/" + new string('0', 64)));
            await stream.ResponseStream.MoveNext(default);
        });

        Assert.Equal(8, flights.Count);
        Assert.Contains("embeddings/e/mid/segment", flights);
        Assert.Equal((60, served.Encoder.EncoderId), (info.TotalRecords, info.Schema.Metadata["featureforge.encoder_id"]));
        var stored = served.Stored("high");
        Assert.Equal(stored.Count, found.Count);
        Assert.All(stored, pair => Assert.Equal(pair.Value, found[pair.Key]));
        Assert.Equal((StatusCode.NotFound, StatusCode.InvalidArgument, StatusCode.NotFound), (unknown.StatusCode, misshapen.StatusCode, stale.StatusCode));
    }

    [Fact]
    public async Task Wrong_requests_are_told_what_is_wrong()
    {
        (object Body, string Model, HttpStatusCode Status, string Said)[] wrong =
        [
            (Json(served.Pictures[0]), "nothing", HttpStatusCode.NotFound, "no model 'nothing'"),
            (Json([.. "plain text, no picture"u8]), "e", HttpStatusCode.BadRequest, "Expected an image"),
            (Json(served.Pictures[0], served.Pictures[1][..^40]), "e", HttpStatusCode.BadRequest, "Item 1"),
            (new { inputs = Array.Empty<object>() }, "e", HttpStatusCode.BadRequest, "one input tensor"),
            (new { inputs = new[] { new { name = "content", datatype = "BYTES", shape = new[] { 3 }, data = new[] { "AAAA" } } } }, "e", HttpStatusCode.BadRequest, "shape"),
            (new { inputs = new[] { new { name = "content", datatype = "BYTES", shape = new[] { 1 }, data = new[] { "%%%" } } } }, "e", HttpStatusCode.BadRequest, "base64"),
            (new { inputs = new[] { new { name = "content", datatype = "FP32", shape = new[] { 1 }, data = new[] { 1 } } } }, "e", HttpStatusCode.BadRequest, "FP32"),
            (new { inputs = new[] { new { name = "pixels", datatype = "UINT8", shape = new[] { 1, 2, 2, 3 }, data = new[] { 1, 2, 3 } } } }, "e", HttpStatusCode.BadRequest, "12 bytes"),
            (new { inputs = new[] { new { name = "pixels", datatype = "UINT8", shape = new[] { 1, 1, 1, 1 }, data = new[] { 256 } } } }, "e", HttpStatusCode.BadRequest, "0 to 255"),
            (new { inputs = new[] { new { name = "content", datatype = "BYTES", shape = new[] { 1 }, data = new[] { Convert.ToBase64String(served.Pictures[0]) } } }, outputs = new[] { new { name = "deep" } } }, "e", HttpStatusCode.BadRequest, "no level 'deep'"),
        ];

        foreach (var (body, model, status, said) in wrong)
        {
            using var answer = await InferAsync(body, model);
            var error = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString();
            Assert.Equal(status, answer.StatusCode);
            Assert.Contains(said, error);
        }
        using var broken = await served.Http.PostAsync("/v2/models/e/infer", new StringContent("{\"inputs\": ["));
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
        using var lying = new HttpRequestMessage(HttpMethod.Post, "/v2/models/e/infer") { Content = new ByteArrayContent([1, 2, 3]) };
        lying.Headers.Add("Inference-Header-Content-Length", "99");
        Assert.Equal(HttpStatusCode.BadRequest, (await served.Http.SendAsync(lying)).StatusCode);
    }

    [Fact]
    public async Task Pixels_are_taken_as_numbers()
    {
        var answer = await InferAsync(new { inputs = new[] { new { name = "pixels", datatype = "UINT8", shape = new[] { 2, 2, 2, 3 }, data = Enumerable.Range(0, 24).ToArray() } } });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_file_is_searched_for()
    {
        var found = await served.Http.PostAsJsonAsync("/api/v1/sets/e/search", new { file = served.Pictures[3], top = 5, where = "width > 1" });
        var json = await found.Content.ReadFromJsonAsync<JsonElement>();

        Assert.True(found.IsSuccessStatusCode, json.ToString());
        var nearest = json.GetProperty("neighbours")[0];
        Assert.Equal(ContentId.Sha256(served.Pictures[3])[..32], nearest.GetProperty("item_id").GetString());
        Assert.True(nearest.GetProperty("distance").GetDouble() < 1e-5);
        Assert.Equal((5, 60L), (json.GetProperty("neighbours").GetArrayLength(), json.GetProperty("compared").GetInt64()));
        using var wrong = await served.Http.PostAsJsonAsync("/api/v1/sets/e/search", new { file = "no picture"u8.ToArray() });
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task Many_clients_are_answered_and_a_killed_process_is_started_again()
    {
        var request = Json(served.Pictures[0]);
        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => InferAsync(request)));
        Assert.All(answers, answer => Assert.True(answer.IsSuccessStatusCode));

        var child = ProcessOf("infer", served.Store.Root);
        FeatureForgeProgram.Signal(child, "KILL");
        await FeatureForgeProgram.UntilAsync(() => ProcessIdentity.Find(child), gone => gone is null);
        var after = await FeatureForgeProgram.UntilAsync(() => InferAsync(request).GetAwaiter().GetResult().StatusCode, status => status != HttpStatusCode.ServiceUnavailable);

        Assert.Equal(HttpStatusCode.OK, after);
        Assert.NotEqual(child, ProcessOf("infer", served.Store.Root));
    }

    private static int ProcessOf(string verb, string store) => Process.GetProcesses().Where(process =>
    {
        try { return File.ReadAllText($"/proc/{process.Id}/cmdline").Split('\0') is var words && words.Contains(verb) && words.Contains(store); }
        catch (IOException) { return false; }
    }).Select(process => process.Id).Single();
}
