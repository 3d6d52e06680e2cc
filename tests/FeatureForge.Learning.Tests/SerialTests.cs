// Seeds and tensor counts are global to a process: tests that train must not run beside each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
