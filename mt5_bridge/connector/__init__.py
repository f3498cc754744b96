"""The running connector: reads a source, keeps its ticks on disk and sends them to the gateway."""
