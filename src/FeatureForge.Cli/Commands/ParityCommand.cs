// `parity`: live inference against the stored vectors, here or through a server.
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Learning;
using FeatureForge.Server;

namespace FeatureForge.Cli;

internal static class ParityCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set.", Required = true };
        var items = new Option<int>("--items") { Description = "Items to compare, spread over the set.", DefaultValueFactory = _ => 256 };
        var through = new Option<string?>("--through") { Description = $"A running server (http://HOST:PORT) whose answers are compared; without it an inference process of this command's own. Its token: {RemoteServer.TokenVariable}." };
        return new Command("parity", "Check that live inference gives the vectors that are in the store.").With(set, items, through).Does(async (parsed, options, stop) =>
        {
            if (parsed.GetValue(items) < 1) throw new BadRequestException("--items: expected 1 or more.");
            var store = options.OpenStore();
            IReadOnlyList<LevelParity> levels;
            if (parsed.GetValue(through) is { } address)
            {
                if (!Uri.TryCreate(address, UriKind.Absolute, out var server)) throw new BadRequestException($"--through {address}: expected http://HOST:PORT.");
                using var client = new InferenceClient(server);
                levels = await ParityCheck.RunAsync(store, parsed.GetRequiredValue(set), parsed.GetValue(items), (encoder, names, inputs) => client.EmbedAsync(encoder, names, inputs, stop), stop);
            }
            else
            {
                await using var host = new InferenceHost(store, Jobs.WorkerCommand.ThisProgram, new());
                levels = await ParityCheck.RunAsync(store, parsed.GetRequiredValue(set), parsed.GetValue(items), (encoder, names, inputs) => host.EmbedAsync(encoder, names, inputs, stop), stop);
            }
            var isEqual = levels.All(level => level.Largest <= ParityCheck.Tolerance);
            if (options.Json) Verb.PrintJson(new { Equal = isEqual, ParityCheck.Tolerance, Levels = levels });
            else
            {
                Console.Out.WriteLine(TextTable.Format(["LEVEL", "ITEMS", "LARGEST DIFFERENCE"], levels.Select(level => (IReadOnlyList<string>)[level.Level, level.Items.ToString(CultureInfo.InvariantCulture), level.Largest.ToString("0.##E+0", CultureInfo.InvariantCulture)])));
                Console.Out.WriteLine(isEqual ? $"Live answers equal the stored vectors (within {ParityCheck.Tolerance:0.#####})." : $"Live answers differ from the stored vectors by more than {ParityCheck.Tolerance:0.#####}.");
            }
            return isEqual ? ExitCode.Done : ExitCode.RunFailed;
        });
    }

    /// <summary>A client of /v2 that sends and takes tensors in binary.</summary>
    private sealed class InferenceClient : IDisposable
    {
        private readonly HttpClient _http;

        internal InferenceClient(Uri server)
        {
            _http = new() { BaseAddress = server };
            if (Environment.GetEnvironmentVariable(RemoteServer.TokenVariable) is { Length: > 0 } token) _http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        }

        internal async Task<IReadOnlyList<LevelVectors>> EmbedAsync(EncoderManifest encoder, IReadOnlyList<string> levels, IReadOnlyList<InferenceInput> inputs, CancellationToken stop)
        {
            var isPixels = inputs[0].Kind == InferenceInputKind.Pixels;
            byte[] tensor = isPixels ? [.. inputs.SelectMany(input => input.Bytes)] : ServedEncoder.Pack([.. inputs.Select(input => input.Bytes)]);
            var head = JsonSerializer.SerializeToUtf8Bytes(new
            {
                parameters = new { binary_data_output = true },
                inputs = new[] { new { name = isPixels ? "pixels" : "content", datatype = isPixels ? "UINT8" : "BYTES", shape = isPixels ? [inputs.Count, .. inputs[0].Shape] : new[] { inputs.Count }, parameters = new { binary_data_size = tensor.Length } } },
                outputs = levels.Select(level => new { name = level }),
            });
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{encoder.Name}/versions/{encoder.EncoderId}/infer") { Content = new ByteArrayContent([.. head, .. tensor]) };
            request.Headers.Add("Inference-Header-Content-Length", head.Length.ToString(CultureInfo.InvariantCulture));
            using var answer = await _http.SendAsync(request, stop);
            var body = await answer.Content.ReadAsByteArrayAsync(stop);
            if (!answer.IsSuccessStatusCode) throw new BadRequestException($"The server answered {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}");
            var length = int.Parse(answer.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
            using var json = JsonDocument.Parse(body.AsMemory(0, length));
            var (found, at) = (new List<LevelVectors>(), length);
            foreach (var output in json.RootElement.GetProperty("outputs").EnumerateArray())
            {
                var size = output.GetProperty("parameters").GetProperty("binary_data_size").GetInt32();
                found.Add(new(output.GetProperty("name").GetString()!, output.GetProperty("shape")[1].GetInt32(), MemoryMarshal.Cast<byte, float>(body.AsSpan(at, size)).ToArray()));
                at += size;
            }
            return found;
        }

        public void Dispose() => _http.Dispose();
    }
}
