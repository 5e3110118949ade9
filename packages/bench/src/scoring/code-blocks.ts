// The Python in a completion.

/** Contents of the blocks that open with three backticks and `python`; the whole text if there is none that is closed. */
export function codeBlocks(completion: string): string[] {
  const blocks = Array.from(completion.matchAll(/```python[^\S\n]*\n?([^]*?)```/g), ([, code]) => code!);
  return blocks.length > 0 ? blocks : [completion];
}
