// Public surface of @memgen/sft.
