// /v2: the REST side of the Open Inference Protocol, with its binary tensor and model repository extensions.
using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Learning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>Endpoints of the protocol; errors are {"error": "…"}, as it says.</summary>
public static class InferenceApi
{
    private const string HeaderLength = "Inference-Header-Content-Length";
    private const long MostBytes = 128L << 20;

    private static readonly NeedsAttribute _readers = new() { Write = AccessRole.Viewer, IsAudited = false };
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Adds the endpoints below /v2.</summary>
    public static void MapInference(this IEndpointRouteBuilder routes)
    {
        var v2 = routes.MapGroup("/v2").AddEndpointFilter(SayErrorsAsync).WithMetadata(_readers);
        v2.MapGet("", () => Json(new { Name = InferenceService.ServerName, Version = InferenceService.ServerVersion, InferenceService.Extensions }));
        v2.MapGet("/health/live", () => Results.Ok()).AllowAnonymous();
        v2.MapGet("/health/ready", () => Results.Ok()).AllowAnonymous();
        v2.MapPost("/repository/index", (InferenceService service) => Json(service.All().Select(one => new { one.Manifest.Name, Version = one.Manifest.EncoderId, State = "READY", Reason = "" })));
        // Loaded when first asked; there is nothing to prepare.
        v2.MapPost("/repository/models/{name}/load", (string name, InferenceService service) => Exists(service.Find(name, null)));
        v2.MapPost("/repository/models/{name}/unload", async (string name, InferenceService service, CancellationToken stop) =>
        {
            await service.Host.UnloadAsync(service.Find(name, null).Manifest.Name, stop);
            return Results.Ok();
        });
        foreach (var model in new[] { "/models/{name}", "/models/{name}/versions/{version}" })
        {
            v2.MapGet(model, (string name, string? version, InferenceService service) => Metadata(service.Find(name, version)));
            v2.MapGet(model + "/ready", (string name, string? version, InferenceService service) => Exists(service.Find(name, version)));
            v2.MapPost(model + "/infer", (string name, string? version, HttpContext http, InferenceService service, CancellationToken stop) => InferAsync(service.Find(name, version), http, service, stop))
                .WithMetadata(new RequestSizeLimitAttribute(MostBytes));
        }
    }

    // A model that is not there has thrown by now.
    private static IResult Exists(ServedEncoder _) => Results.Ok();

    private static IResult Json<T>(T value) => Results.Json(value, _json);

    private static async ValueTask<object?> SayErrorsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        IResult Error(string message, int status) => Results.Json(new { error = message }, statusCode: status);
        try { return await next(context); }
        catch (ModelNotFoundException error) { return Error(error.Message, StatusCodes.Status404NotFound); }
        catch (BadRequestException error) { return Error(error.Message, StatusCodes.Status400BadRequest); }
        catch (BadHttpRequestException error) { return Error(error.Message, error.StatusCode); }
        catch (JsonException error) { return Error($"The request's JSON is not as expected: {error.Message}", StatusCodes.Status400BadRequest); }
        catch (InferenceUnavailableException error) { return Error(error.Message, StatusCodes.Status503ServiceUnavailable); }
    }

    private static IResult Metadata(ServedEncoder encoder) => Json(new
    {
        encoder.Manifest.Name,
        Versions = new[] { encoder.Manifest.EncoderId },
        ServedEncoder.Platform,
        encoder.Inputs,
        encoder.Outputs,
        Parameters = new { Modality = encoder.Manifest.Modality.ToString().ToLowerInvariant(), encoder.Manifest.PreprocessingId, UsualOutput = encoder.UsualOutput },
    });

    private sealed record InputTensor(string Name, string Datatype, IReadOnlyList<long> Shape, Dictionary<string, JsonElement>? Parameters, JsonElement? Data);

    private sealed record OutputTensor(string Name, Dictionary<string, JsonElement>? Parameters);

    private sealed record Request(string? Id, Dictionary<string, JsonElement>? Parameters, IReadOnlyList<InputTensor> Inputs, IReadOnlyList<OutputTensor>? Outputs);

    private static async Task<IResult> InferAsync(ServedEncoder encoder, HttpContext http, InferenceService service, CancellationToken stop)
    {
        var body = await BodyAsync(http.Request, stop);
        var header = http.Request.Headers[HeaderLength].ToString();
        var jsonLength = body.Length;
        if (header.Length > 0 && (!int.TryParse(header, out jsonLength) || jsonLength < 0 || jsonLength > body.Length))
            throw new BadRequestException($"{HeaderLength} is '{header}'; expected the number of bytes of JSON before the tensors, at most the {body.Length} of the body.");
        var request = JsonSerializer.Deserialize<Request>(body.AsSpan(0, jsonLength), _json);
        if (request?.Inputs is null) throw new BadRequestException("The request has no inputs.");
        var inputs = new List<RawTensor>();
        var at = jsonLength;
        foreach (var input in request.Inputs)
        {
            if (input.Name is null || input.Datatype is null || input.Shape is null) throw new BadRequestException("An input needs name, datatype and shape.");
            var rate = Number(input.Parameters, "sample_rate") is { } hertz ? checked((int)hertz) : (int?)null;
            if (Number(input.Parameters, "binary_data_size") is { } size)
            {
                if (size < 0 || size > body.Length - at) throw new BadRequestException($"Input '{input.Name}' says it has {size} binary bytes; {body.Length - at} are left in the body.");
                inputs.Add(new(input.Name, input.Datatype, input.Shape, body.AsMemory(at, (int)size), rate));
                at += (int)size;
            }
            else inputs.Add(new(input.Name, input.Datatype, input.Shape, Values(encoder, input), rate));
        }
        if (at != body.Length) throw new BadRequestException($"The body holds {body.Length - at} bytes that belong to no input.");
        var vectors = await service.InferAsync(encoder, inputs, [.. (request.Outputs ?? []).Select(output => output.Name)], stop);
        return Answer(encoder, request, vectors, inputs.Count == 0 ? 0 : (int)inputs[0].Shape[0]);
    }

    private static async Task<byte[]> BodyAsync(HttpRequest request, CancellationToken stop)
    {
        using var body = new MemoryStream(request.ContentLength is { } length and <= MostBytes ? (int)length : 0);
        await request.Body.CopyToAsync(body, stop);
        return body.ToArray();
    }

    private static long? Number(Dictionary<string, JsonElement>? parameters, string name) =>
        parameters is not null && parameters.TryGetValue(name, out var value) ? value.TryGetInt64(out var number) ? number : throw new BadRequestException($"Parameter {name} is no whole number.") : null;

    private static bool IsTrue(Dictionary<string, JsonElement>? parameters, string name, bool otherwise) =>
        parameters is not null && parameters.TryGetValue(name, out var value) ? value.ValueKind == JsonValueKind.True : otherwise;

    // JSON's own values: texts as they are, files in base64; numbers flat or nested.
    private static byte[] Values(ServedEncoder encoder, InputTensor input)
    {
        if (input.Data is not { } data) throw new BadRequestException($"Input '{input.Name}' has neither data nor binary_data_size.");
        var flat = new List<JsonElement>();
        Flatten(data, flat);
        if (input.Datatype == "BYTES")
        {
            var inBase64 = input.Parameters is not null && input.Parameters.TryGetValue("content_type", out var type) ? type.GetString() is "base64" or "b64" : encoder.Manifest.Modality != Modality.Text;
            return ServedEncoder.Pack([.. flat.Select((value, i) => value.ValueKind != JsonValueKind.String ? throw new BadRequestException($"Input '{input.Name}': element {i} is no string.")
                : !inBase64 ? Encoding.UTF8.GetBytes(value.GetString()!)
                : value.TryGetBytesFromBase64(out var bytes) ? bytes : throw new BadRequestException($"Input '{input.Name}': element {i} is not base64."))]);
        }
        var numbers = flat.Select((value, i) => value.TryGetDouble(out var number) ? number : throw new BadRequestException($"Input '{input.Name}': element {i} is no number."));
        return input.Datatype switch
        {
            "UINT8" => [.. numbers.Select(number => number is >= 0 and <= 255 ? (byte)number : throw new BadRequestException($"Input '{input.Name}' holds {number}; expected 0 to 255."))],
            "INT16" => MemoryMarshal.AsBytes<short>(numbers.Select(number => number is >= short.MinValue and <= short.MaxValue ? (short)number : throw new BadRequestException($"Input '{input.Name}' holds {number}; expected -32768 to 32767.")).ToArray()).ToArray(),
            _ => throw new BadRequestException($"Input '{input.Name}' has type {input.Datatype}; expected BYTES, UINT8 or INT16."),
        };
    }

    private static void Flatten(JsonElement data, List<JsonElement> into)
    {
        if (data.ValueKind != JsonValueKind.Array) into.Add(data);
        else foreach (var element in data.EnumerateArray()) Flatten(element, into);
    }

    private static IResult Answer(ServedEncoder encoder, Request request, IReadOnlyList<LevelVectors> vectors, int items)
    {
        var wishes = (request.Outputs ?? []).GroupBy(output => output.Name).ToDictionary(group => group.Key, group => group.First().Parameters);
        var allBinary = IsTrue(request.Parameters, "binary_data_output", otherwise: false);
        var json = new ArrayBufferWriter<byte>();
        var tail = new List<ReadOnlyMemory<byte>>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("model_name", encoder.Manifest.Name);
            writer.WriteString("model_version", encoder.Manifest.EncoderId);
            if (request.Id is not null) writer.WriteString("id", request.Id);
            writer.WriteStartArray("outputs");
            foreach (var level in vectors)
            {
                writer.WriteStartObject();
                writer.WriteString("name", level.Level);
                writer.WriteString("datatype", "FP32");
                writer.WriteStartArray("shape");
                writer.WriteNumberValue(level.Values.Length / level.Dimension);
                writer.WriteNumberValue(level.Dimension);
                writer.WriteEndArray();
                if (IsTrue(wishes.GetValueOrDefault(level.Level), "binary_data", allBinary))
                {
                    writer.WriteStartObject("parameters");
                    writer.WriteNumber("binary_data_size", 4 * level.Values.Length);
                    writer.WriteEndObject();
                    tail.Add(MemoryMarshal.AsBytes(level.Values.AsSpan()).ToArray());
                }
                else
                {
                    writer.WriteStartArray("data");
                    foreach (var value in level.Values) writer.WriteNumberValue(value);
                    writer.WriteEndArray();
                }
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        if (tail.Count == 0) return Results.Bytes(json.WrittenMemory, "application/json");
        return new BinaryAnswer(json.WrittenMemory, tail);
    }

    private sealed class BinaryAnswer(ReadOnlyMemory<byte> json, IReadOnlyList<ReadOnlyMemory<byte>> tail) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = "application/octet-stream";
            httpContext.Response.Headers[HeaderLength] = json.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
            httpContext.Response.ContentLength = json.Length + tail.Sum(part => (long)part.Length);
            await httpContext.Response.Body.WriteAsync(json, httpContext.RequestAborted);
            foreach (var part in tail) await httpContext.Response.Body.WriteAsync(part, httpContext.RequestAborted);
        }
    }
}
