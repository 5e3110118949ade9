// Public surface of @memgen/tiny-reasoner.
