// Public surface of @memgen/weaver.
