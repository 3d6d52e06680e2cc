// The gRPC side of the Open Inference Protocol.
using System.Runtime.InteropServices;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Server.OpenInference;
using Google.Protobuf;
using Grpc.Core;

namespace FeatureForge.Server;

/// <summary>inference.GRPCInferenceService.</summary>
[Needs(Write = AccessRole.Viewer, IsAudited = false)]
public sealed class GrpcInference(InferenceService service) : GRPCInferenceService.GRPCInferenceServiceBase
{
    public override Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) => Task.FromResult(new ServerLiveResponse { Live = true });

    public override Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context) => Task.FromResult(new ServerReadyResponse { Ready = true });

    public override Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context)
    {
        try
        {
            _ = service.Find(request.Name, request.Version);
            return Task.FromResult(new ModelReadyResponse { Ready = true });
        }
        catch (ModelNotFoundException) { return Task.FromResult(new ModelReadyResponse { Ready = false }); }
    }

    public override Task<ServerMetadataResponse> ServerMetadata(ServerMetadataRequest request, ServerCallContext context)
    {
        var answer = new ServerMetadataResponse { Name = InferenceService.ServerName, Version = InferenceService.ServerVersion };
        answer.Extensions.AddRange(InferenceService.Extensions);
        return Task.FromResult(answer);
    }

    public override Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context) => AnsweredAsync(() =>
    {
        var encoder = service.Find(request.Name, request.Version);
        var answer = new ModelMetadataResponse { Name = encoder.Manifest.Name, Platform = ServedEncoder.Platform };
        answer.Versions.Add(encoder.Manifest.EncoderId);
        answer.Inputs.AddRange(encoder.Inputs.Select(Of));
        answer.Outputs.AddRange(encoder.Outputs.Select(Of));
        return Task.FromResult(answer);
    });

    public override Task<RepositoryIndexResponse> RepositoryIndex(RepositoryIndexRequest request, ServerCallContext context)
    {
        var answer = new RepositoryIndexResponse();
        answer.Models.AddRange(service.All().Select(one => new RepositoryIndexResponse.Types.ModelIndex { Name = one.Manifest.Name, Version = one.Manifest.EncoderId, State = "READY" }));
        return Task.FromResult(answer);
    }

    public override Task<ModelInferResponse> ModelInfer(ModelInferRequest request, ServerCallContext context) => AnsweredAsync(async () =>
    {
        var encoder = service.Find(request.ModelName, request.ModelVersion);
        if (request.RawInputContents.Count > 0 && request.RawInputContents.Count != request.Inputs.Count)
            throw new BadRequestException($"The request has {request.Inputs.Count} inputs and {request.RawInputContents.Count} raw contents; expected one for each, or none.");
        var inputs = request.Inputs.Select((input, i) => new RawTensor(input.Name, input.Datatype, input.Shape,
            request.RawInputContents.Count > 0 ? request.RawInputContents[i].Memory : Contents(input), input.Parameters.TryGetValue("sample_rate", out var rate) ? checked((int)rate.Int64Param) : null)).ToList();
        var vectors = await service.InferAsync(encoder, inputs, [.. request.Outputs.Select(output => output.Name)], context.CancellationToken);
        var answer = new ModelInferResponse { ModelName = encoder.Manifest.Name, ModelVersion = encoder.Manifest.EncoderId, Id = request.Id };
        foreach (var level in vectors)
        {
            var output = new ModelInferResponse.Types.InferOutputTensor { Name = level.Level, Datatype = "FP32" };
            output.Shape.Add(level.Values.Length / level.Dimension);
            output.Shape.Add(level.Dimension);
            // As the request's tensors came, so go the answer's.
            if (request.RawInputContents.Count > 0) answer.RawOutputContents.Add(ByteString.CopyFrom(MemoryMarshal.AsBytes(level.Values.AsSpan())));
            else
            {
                output.Contents = new();
                output.Contents.Fp32Contents.AddRange(level.Values);
            }
            answer.Outputs.Add(output);
        }
        return answer;
    });

    private static ReadOnlyMemory<byte> Contents(ModelInferRequest.Types.InferInputTensor input) => input.Datatype switch
    {
        "BYTES" => ServedEncoder.Pack([.. input.Contents.BytesContents.Select(bytes => bytes.ToByteArray())]),
        "UINT8" => input.Contents.UintContents.Select(value => checked((byte)value)).ToArray(),
        "INT16" => MemoryMarshal.AsBytes<short>(input.Contents.IntContents.Select(value => checked((short)value)).ToArray()).ToArray(),
        var other => throw new BadRequestException($"Input '{input.Name}' has type {other}; expected BYTES, UINT8 or INT16."),
    };

    private static ModelMetadataResponse.Types.TensorMetadata Of(TensorShape tensor)
    {
        var answer = new ModelMetadataResponse.Types.TensorMetadata { Name = tensor.Name, Datatype = tensor.Datatype };
        answer.Shape.AddRange(tensor.Shape);
        return answer;
    }

    private static async Task<T> AnsweredAsync<T>(Func<Task<T>> work)
    {
        try { return await work(); }
        catch (ModelNotFoundException error) { throw new RpcException(new(StatusCode.NotFound, error.Message)); }
        catch (BadRequestException error) { throw new RpcException(new(StatusCode.InvalidArgument, error.Message)); }
        catch (OverflowException) { throw new RpcException(new(StatusCode.InvalidArgument, "A number of the input does not fit its type.")); }
        catch (InferenceUnavailableException error) { throw new RpcException(new(StatusCode.Unavailable, error.Message)); }
    }
}
