// Public surface of @memgen/core.
