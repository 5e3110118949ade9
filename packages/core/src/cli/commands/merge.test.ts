// `memgen merge` as a command line: what it writes computes what the adapter beside the base computes.
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBackend } from '../../backend/index.js';
import type { Decoder } from '../../model/decoder.js';
import { saveAdapter } from '../../model/lora-files.js';
import type { LoraAdapter } from '../../model/lora.js';
import { busyAdapter } from '../../model/lora.test-helper.js';
import { mergeAdapter } from '../../model/merge-adapter.js';
import { tinyConfig } from '../../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../ops/operation-check.test-helper.js';
import { loadReasoner, saveDecoderWeights } from '../../reasoner/index.js';
import { runCommand } from '../run-commands.test-helper.js';

const ids = [5, 3, 8, 1, 1, 2];
let folder: string;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  folder = await mkdtemp(join(tmpdir(), 'memgen-merge-'));
});
afterAll(() => rm(folder, { recursive: true }));

function logits(decoder: Decoder, adapter?: LoraAdapter): Float32Array {
  const cache = decoder.createCache(1, 'parts');
  return tf.tidy(() => {
    const options = { cache, adapter: adapter && { adapter } };
    return decoder.logits(decoder.forward(decoder.embed(ids), [ids.map(() => 1)], options)).dataSync<'float32'>();
  });
}

it('writes the folder of a model that needs the adapter no longer', async () => {
  const { decoder } = await loadReasoner(modelFolder());
  const lora = { r: 4, alpha: 8, targetModules: ['q_proj', 'v_proj', 'down_proj'], rslora: true };
  const adapter = busyAdapter(decoder.config, lora);
  const expected = logits(decoder, adapter);
  const [from, out] = [join(folder, 'adapter'), join(folder, 'merged')];
  await saveAdapter(from, adapter);
  const result = await runCommand(['merge', modelFolder(), '--adapter', from, '--out', out]);
  expect(result).toMatchObject({ code: 0, out: `${out}: 50 tensors, 3.8 MB in f32\n` });

  const merged = await loadReasoner(out);
  expect(relativeDifference(logits(merged.decoder), expected)).toBeLessThan(1e-4);
  expect(relativeDifference(logits(decoder), expected)).toBeGreaterThan(1e-2);

  // The same as merging in memory and saving.
  const inMemory = await mergeAdapter(decoder, adapter);
  await saveDecoderWeights(inMemory, out, { dtype: 'F32' });
  const saved = await loadReasoner(out);
  expect(relativeDifference(logits(saved.decoder), expected)).toBeLessThan(1e-4);
  for (const owner of [decoder, adapter, merged.decoder, inMemory, saved.decoder]) owner.dispose();
});

it('writes nothing for an adapter of another model', async () => {
  const adapter = busyAdapter(tinyConfig(), { r: 2, alpha: 2, targetModules: ['q_proj'] });
  const [from, out] = [join(folder, 'other'), join(folder, 'nothing')];
  await saveAdapter(from, adapter);
  adapter.dispose();
  const result = await runCommand(['merge', modelFolder(), '--adapter', from, '--out', out]);
  expect(result).toMatchObject({ code: 1, out: '', errors: expect.stringContaining('belongs to this base model') });
  expect(await readdir(folder)).not.toContain('nothing');
  expect(await runCommand(['merge', modelFolder()])).toMatchObject({ code: 1, errors: expect.stringContaining('--adapter') }); // prettier-ignore
});
