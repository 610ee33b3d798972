"""llama.cpp beside the engine: what npm needs for it, and the process that `bench.engine` asks."""
