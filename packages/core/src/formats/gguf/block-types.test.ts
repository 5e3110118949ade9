import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blockTypes } from './block-types.js';

const cases: Record<string, { type: number; blocks: string; values: string }> = JSON.parse(
  readFileSync(join(import.meta.dirname, '__fixtures__/dequantised.json'), 'utf8'),
);

describe('blockTypes', () => {
  it.each(Object.entries(cases))('%s decodes to the same bits as the reference', (name, { type, blocks, values }) => {
    const source = Uint8Array.from(Buffer.from(blocks, 'base64'));
    const expected = new Float32Array(Uint8Array.from(Buffer.from(values, 'base64')).buffer);
    const block = blockTypes.get(type)!;
    expect(block.name).toBe(name);
    expect(source.length / block.bytes).toBe(expected.length / block.elements);
    const decoded = new Float32Array(expected.length);
    block.decode(source, decoded);
    expect(decoded).toEqual(expected);
  });

  it('covers every quantised type of the fixture and no other', () => {
    const quantised = [...blockTypes.values()].filter(({ elements }) => elements > 1).map(({ name }) => name);
    expect(quantised.sort()).toEqual(Object.keys(cases).sort());
  });
});
