// Models and adapters against the Python libraries themselves, where a Python that has them is named.
import * as tf from '@tensorflow/tfjs';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { saveDecoderWeights } from '../reasoner/index.js';
import type { Decoder } from './decoder.js';
import { loadAdapter, saveAdapter } from './lora-files.js';
import type { LoraAdapter, LoraConfig } from './lora.js';
import { busyAdapter } from './lora.test-helper.js';
import { architectures, frozenDecoder, randomIds, tinyConfig, tinyConfigJson } from './tiny-decoder.test-helper.js';

const python = process.env.MEMGEN_PYTHON;
const script = join(import.meta.dirname, '__fixtures__/python_logits.py');
const tolerance = 1e-4;

interface Task {
  model: string;
  ids: readonly number[];
  adapter?: string;
  /** Of an adapter that is to be created, in PEFT's words. */
  settings?: Record<string, unknown>;
  seed?: number;
}

function runPython(tasks: readonly Task[]): number[][] {
  const { status, stdout, stderr } = spawnSync(python ?? '', [script], {
    input: JSON.stringify(tasks),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr.slice(-2000));
  return JSON.parse(stdout) as number[][];
}

function logits(decoder: Decoder, ids: readonly number[], adapter?: LoraAdapter): Float32Array {
  const cache = decoder.createCache(1, 'parts');
  return tf.tidy(() => {
    const options = { cache, adapter: adapter && { adapter } };
    return decoder.logits(decoder.forward(decoder.embed(ids), [ids.map(() => 1)], options)).dataSync<'float32'>();
  });
}

const all = { r: 3, alpha: 6, targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] }; // prettier-ignore
const ours: [string, LoraConfig][] = [
  ['plain', all],
  ['rank-stabilised, with patterns', { ...all, rslora: true, rankPattern: { 'layers.1.*v_proj': 5, up_proj: 2 }, alphaPattern: { k_proj: 1 } }], // prettier-ignore
  ['by a regular expression', { ...all, targetModules: '.*\\.(1)\\..*(q|up)_proj' }],
  ['of one layer, with exceptions', { ...all, layersToTransform: [1], excludeModules: ['v_proj', 'mlp.up_proj'] }],
];
const theirs: [string, Record<string, unknown>][] = [
  ['plain', { r: 3, lora_alpha: 6, lora_dropout: 0.1, target_modules: ['q_proj', 'down_proj'] }],
  ['all linear modules', { r: 2, lora_alpha: 3, target_modules: 'all-linear' }],
  ['rank-stabilised', { r: 4, lora_alpha: 3, use_rslora: true, target_modules: ['v_proj', 'o_proj'] }],
  ['with patterns', { r: 4, lora_alpha: 3, target_modules: ['k_proj', 'v_proj', 'up_proj'], rank_pattern: { '.*0.*v_proj': 7, '^model.layers.1.mlp.up_proj': 1 }, alpha_pattern: { k_proj: 11, 'layers.1.self_attn.v_proj': 2 } }], // prettier-ignore
  ['by a regular expression', { r: 2, lora_alpha: 3, target_modules: 'model\\.layers\\.[02-9]\\.(self_attn|mlp)\\.\\w+_proj' }], // prettier-ignore
  ['of one layer', { r: 2, lora_alpha: 3, target_modules: ['q_proj', 'gate_proj'], layers_to_transform: 1 }],
  ['of a named list of layers', { r: 2, lora_alpha: 3, target_modules: ['q_proj'], layers_to_transform: [0], layers_pattern: 'layers' }], // prettier-ignore
  ['with exceptions', { r: 2, lora_alpha: 3, target_modules: ['q_proj', 'gate_proj'], exclude_modules: '.*0.*gate.*' }],
];
const models = [
  ...architectures,
  { model_type: 'llama', rope_scaling: { rope_type: 'dynamic', factor: 2 }, max_position_embeddings: 16 },
  { model_type: 'mistral', head_dim: 6, sliding_window: 128 },
];

describe.skipIf(python === undefined)(
  'beside the Python libraries (where MEMGEN_PYTHON names a Python with peft)',
  () => {
    let folder: string;
    beforeAll(async () => {
      await startBackend({ backend: 'wasm' });
      folder = await mkdtemp(join(tmpdir(), 'memgen-python-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    async function withModel(changes: Record<string, unknown>, name: string): Promise<[Decoder, string]> {
      const path = join(folder, name);
      const decoder = await frozenDecoder(tinyConfig(changes));
      await saveDecoderWeights(decoder, path, { dtype: 'F32' });
      await writeFile(join(path, 'config.json'), JSON.stringify({ ...tinyConfigJson(changes), pad_token_id: 0 }));
      return [decoder, path];
    }

    it('every architecture computes the same logits', { timeout: 300_000 }, async () => {
      const ids = randomIds(40, 1);
      const made = await Promise.all(models.map((changes, i) => withModel(changes, `model-${i}`)));
      const expected = runPython(made.map(([, model]) => ({ model, ids })));
      made.forEach(([decoder], i) => {
        expect(relativeDifference(logits(decoder, ids), expected[i]!), JSON.stringify(models[i])).toBeLessThan(
          tolerance,
        );
        decoder.dispose();
      });
    });

    it('adapters go both ways', { timeout: 300_000 }, async () => {
      const ids = randomIds(12, 2);
      const [decoder, model] = await withModel(architectures[0]!, 'base');
      const written = ours.map(([name, lora], i) => ({ name, adapter: busyAdapter(decoder.config, lora, i), path: join(folder, `ours-${i}`) })); // prettier-ignore
      for (const { adapter, path } of written) await saveAdapter(path, adapter);
      const results = runPython([
        ...written.map(({ path }) => ({ model, ids, adapter: path })),
        ...theirs.map(([, settings], i) => ({ model, ids, adapter: join(folder, `theirs-${i}`), settings, seed: i })),
      ]);
      const plain = logits(decoder, ids);
      const check = (name: string, adapter: LoraAdapter, expected: readonly number[]): void => {
        const got = logits(decoder, ids, adapter);
        expect(relativeDifference(got, expected), name).toBeLessThan(tolerance);
        expect(relativeDifference(got, plain), name).toBeGreaterThan(1e-3);
        adapter.dispose();
      };
      written.forEach(({ name, adapter }, i) => {
        check(`ours: ${name}`, adapter, results[i]!);
      });
      for (const [i, [name]] of theirs.entries()) {
        check(
          `theirs: ${name}`,
          await loadAdapter(join(folder, `theirs-${i}`), decoder.config),
          results[ours.length + i]!,
        );
      }
      decoder.dispose();
    });
  },
);
