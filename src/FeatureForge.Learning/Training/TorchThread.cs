// Torch scopes and gradient modes belong to a thread, so tensor work runs from start to end on one thread of its own.
using FeatureForge.Tensors;

namespace FeatureForge.Learning;

internal static class TorchThread
{
    /// <summary>
    /// Runs the work on a new thread; its exception is the task's. The work must give the same when it is begun again (stages do: they
    /// continue from what they staged), because it is when <see cref="FreedScalar"/> broke it.
    /// </summary>
    public static Task<T> RunAsync<T>(string name, Func<T> work, Action<string> warn)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try { done.SetResult(FreedScalar.Repeat(work, warn)); }
            catch (OperationCanceledException error) { done.SetCanceled(error.CancellationToken); }
            catch (Exception error) { done.SetException(error); }
        })
        { Name = name, IsBackground = true };
        thread.Start();
        return done.Task;
    }
}
