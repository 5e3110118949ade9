// Public surface of @memgen/bench.
