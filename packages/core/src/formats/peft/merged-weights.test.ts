// Merging while reading: the numbers, and adapters that do not belong to the file.
import { describe, expect, it } from 'vitest';
import type { TensorSource } from '../tensor-source.js';
import { parseAdapterConfig } from './adapter-config.js';
import { mergedWeights } from './merged-weights.js';
import type { PeftModule } from './peft-adapter.js';

const query = 'model.layers.0.self_attn.q_proj';
const stored: Record<string, { shape: number[]; data: number[] }> = {
  'model.embed_tokens.weight': { shape: [4, 3], data: Array.from({ length: 12 }, () => 0) },
  'model.norm.weight': { shape: [3], data: [1, 1, 1] },
  [`${query}.weight`]: { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] },
  'model.layers.0.self_attn.v_proj.weight': { shape: [1, 3], data: [0, 0, 0] },
};
const source: Pick<TensorSource, 'tensors' | 'readFloat32'> = {
  tensors: new Map(
    Object.entries(stored).map(([name, { shape, data }]) => [
      name,
      { name, shape, dtype: 'F32', byteLength: 4 * data.length },
    ]),
  ),
  readFloat32: (name) => Promise.resolve(Float32Array.from(stored[name]!.data)),
};

/** Rank 2: alpha 6, so scaling 3. */
function adapterOf(
  paths: readonly string[],
  changes: Partial<PeftModule> = {},
  target: string | string[] = 'all-linear',
) {
  const module = {
    rank: 2,
    inputSize: 3,
    outputSize: 2,
    a: Float32Array.of(1, 0, 2, 0, 1, 1),
    b: Float32Array.of(1, 10, 0, -1),
    ...changes,
  };
  const config = parseAdapterConfig({ peft_type: 'LORA', r: 2, lora_alpha: 6, target_modules: target }, 'x');
  return { config, modules: new Map(paths.map((path) => [path, module])) };
}

function refused(code: string, got: string): unknown {
  return expect.objectContaining({ code, got: expect.stringContaining(got) as string });
}

describe('mergedWeights', () => {
  it('gives W + scaling * B A for what the adapter changes, and nothing else', async () => {
    const merged = mergedWeights(source, adapterOf([query], {}, ['q_proj']), 'x');
    expect([...merged.keys()]).toEqual([`${query}.weight`]);
    // B A = [[1, 10, 12], [0, -1, -1]]
    expect([...(await merged.get(`${query}.weight`)!())]).toEqual([1 + 3, 2 + 30, 3 + 36, 4, 5 - 3, 6 - 3]);
  });

  it('refuses an adapter that lacks a module, has one too many, or one of other sizes', () => {
    expect(() => mergedWeights(source, adapterOf([query]), 'x')).toThrow(
      refused('adapter-modules', 'missing: model.layers.0.self_attn.v_proj; unexpected: none'),
    );
    const stray = adapterOf([query, 'model.layers.1.self_attn.q_proj'], {}, ['q_proj']);
    expect(() => mergedWeights(source, stray, 'x')).toThrow(
      refused('adapter-modules', 'missing: none; unexpected: model.layers.1.self_attn.q_proj'),
    );
    const embedding = adapterOf(['model.embed_tokens'], {}, ['embed_tokens']);
    expect(() => mergedWeights(source, embedding, 'x')).toThrow(refused('adapter-modules', 'model.embed_tokens'));
    const wide = adapterOf([query], { inputSize: 4 }, ['q_proj']);
    expect(() => mergedWeights(source, wide, 'x')).toThrow(refused('adapter-shape', 'in 4, out 2'));
  });
});
