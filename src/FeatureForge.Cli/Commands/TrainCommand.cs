// `train`: an encoder from a corpus, without labels.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class TrainCommand
{
    internal static Command Create()
    {
        var corpus = new Option<string>("--corpus") { Description = "The corpus to train on.", Required = true };
        var encoder = new Option<string>("--encoder") { Description = "Name of the encoder to make.", Required = true };
        var recipe = new Option<string?>("--recipe") { Description = "A built-in recipe or a recipe file. Default: the modality's." };
        var minutes = new Option<double?>("--minutes") { Description = "Train for about this long." };
        var epochs = new Option<double?>("--epochs") { Description = "Passes over the corpus." };
        var steps = new Option<long?>("--steps") { Description = "Optimiser steps." };
        var seed = new Option<int>("--seed") { Description = "Of every random draw." };
        var device = SharedOptions.Device();
        var from = new Option<string?>("--from") { Description = "An encoder of the store, or a .safetensors file, to continue from." };
        var modality = new Option<string?>("--modality") { Description = "audio, image or text. Needed when the corpus holds more than one." };
        return new Command("train", "Train an encoder on a corpus, without labels.").With(corpus, encoder, recipe, minutes, epochs, steps, seed, device, from, modality)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Train, new TrainSpec
            {
                Corpus = parsed.GetRequiredValue(corpus),
                Encoder = parsed.GetRequiredValue(encoder),
                Recipe = parsed.GetValue(recipe),
                Minutes = parsed.GetValue(minutes),
                Epochs = parsed.GetValue(epochs),
                Steps = parsed.GetValue(steps),
                Seed = parsed.GetValue(seed),
                Device = parsed.GetValue(device)!,
                From = parsed.GetValue(from),
                Modality = SharedOptions.ModalityOf(parsed.GetValue(modality)),
            }, options.OpenStore, options, stop));
    }
}
