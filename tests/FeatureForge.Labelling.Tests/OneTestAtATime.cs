// Live tensors are counted per process: a test that counts them must not see another one's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
