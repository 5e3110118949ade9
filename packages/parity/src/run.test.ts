import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startBackend } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenFixture } from './golden-fixture.test-helper.js';
import { runCase, runParity, type CaseResult } from './run.js';

let folder: string;
beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  folder = await mkdtemp(join(tmpdir(), 'memgen-parity-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function resultsOf(root: string, only?: string[]): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  await runParity(root, { ...(only && { only }), onResult: (result) => results.push(result) });
  return results;
}

/** Golden files that are open, where the system tells. */
function openFiles(): string[] {
  const folder = '/proc/self/fd';
  if (!existsSync(folder)) return [];
  const targets = readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      return []; // the listing's own handle
    }
  });
  return targets.filter((target) => target.includes('golden'));
}

describe('runParity on the committed cases', () => {
  it('passes every one and leaves nothing behind', async () => {
    const before = { tensors: tf.memory().numTensors, files: openFiles() };
    const results = await resultsOf(goldenFixture());
    const failed = results.filter(({ outcome }) => outcome === 'failed');
    expect(failed).toEqual([]);
    expect(results.filter(({ outcome }) => outcome === 'skipped')).toEqual([]);
    expect(results.filter(({ outcome }) => outcome === 'passed').map(({ name }) => name)).toEqual([
      'a_models/llama-gqa-untied',
      'a_models/llama-rope-llama3',
      'a_models/qwen2-tied-bf16',
      'b_lora/qwen2-qv-r4',
      'c_memgen/llama/augment',
      'c_memgen/llama/checkpoint',
      'c_memgen/llama/instruct_b2_leftpad_inf5',
      'c_memgen/llama/trigger',
      'c_memgen/qwen2-hetero/augment',
      'c_memgen/qwen2-hetero/instruct_b1_system_inf3',
      'd_generate/llama__b1_inactive',
      'd_generate/llama__b4_trigger_mixed',
      'd_generate/qwen2__b2_inactive_inf2',
      'e_sft/qwen2__adamw_wd01',
      'e_sft/qwen2__grad_accum2',
      'f_grpo/llama__trigger',
      'f_grpo/llama__weaver',
      'g_tokenizers/tiny-gpt2',
      'g_tokenizers/tiny-qwen',
      'h_dtypes',
    ]);
    expect({ tensors: tf.memory().numTensors, files: openFiles() }).toEqual(before);
  });
});

/** A copy of one case (and of the models) whose files may be changed. */
async function copyOf(name: string): Promise<string> {
  const root = await mkdtemp(join(folder, 'copy-'));
  for (const part of [name, 'models']) await cp(goldenFixture(part), join(root, part), { recursive: true });
  const parent = dirname(name);
  if (parent.includes('/')) {
    for (const file of ['layout.json', 'state.safetensors']) {
      await cp(goldenFixture(parent, file), join(root, parent, file));
    }
  }
  return root;
}

/** Changes one element of a tensor in a safetensors file. */
async function change(path: string, tensor: string, index: number, by: (value: number) => number): Promise<void> {
  const bytes = await readFile(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const { dtype, data_offsets } = header[tensor]!;
  const start = 8 + headerLength + data_offsets[0];
  if (dtype === 'F32') bytes.writeFloatLE(by(bytes.readFloatLE(start + 4 * index)), start + 4 * index);
  else bytes.writeBigInt64LE(BigInt(by(Number(bytes.readBigInt64LE(start + 8 * index)))), start + 8 * index);
  await writeFile(path, bytes);
}

describe('a case fails', () => {
  const wrongNumbers: [string, string, string, number, (value: number) => number, RegExp][] = [
    ['a_models/llama-gqa-untied', 'io', 'logits', 5, (x) => x + 2e-4, /^logits: element 5: /],
    ['a_models/llama-gqa-untied', 'io', 'last_hidden_state', 0, (x) => x - 2e-4, /^hidden states: /],
    ['a_models/llama-gqa-untied', 'io', 'decode_logits', 700, (x) => x + 2e-4, /^logits of the cached decoding: /],
    ['a_models/llama-gqa-untied', 'io', 'position_ids', 9, (x) => x + 1, /^position ids: \[0\]\[9\]: /],
    ['b_lora/qwen2-qv-r4', 'io', 'logits_merged', 1, (x) => x + 2e-4, /^logits of the merged model: /],
    ['b_lora/qwen2-qv-r4', 'adapter/adapter_model', 'base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight', 3, (x) => x + 0.1, /^logits with the adapter: /],
    ['c_memgen/llama/augment', 'io', 'inference.hidden_states', 2, (x) => x + 2e-4, /^hidden states of the inference queries: /],
    ['c_memgen/qwen2-hetero/instruct_b1_system_inf3', 'io', 'grad.weaver_to_reasoner.bias', 7, (x) => x * 1.002 + Math.sign(x) * 2e-5, /^gradient of weaver_to_reasoner\.bias \(checkpointed\): /],
    ['c_memgen/qwen2-hetero/instruct_b1_system_inf3', 'io', 'logits_at', 7, (x) => x + 2e-4, /^logits: /],
    ['d_generate/llama__b1_inactive', 'io', 'output_ids', 40, (x) => x + 1, /^generated ids: /],
    ['d_generate/llama__b1_inactive', 'io', 'augmentation_pos', 0, () => 0, /^augmentation points: \[0\]\[0\]: got 1, expected 0/],
    ['e_sft/qwen2__grad_accum2', 'trajectory', 'step5.weaver.prompt_query_latents', 0, (x) => x + 1e-4, /^prompt_query_latents after step 5: /],
    ['e_sft/qwen2__grad_accum2', 'trajectory', 'clipped_grad2.weaver_to_reasoner.bias', 0, (x) => x * 1.01 + Math.sign(x) * 2e-5, /^clipped gradient 2 of weaver_to_reasoner\.bias: /],
    ['f_grpo/llama__weaver', 'io', 'old_per_token_logps', 3, (x) => x + 2e-4, /^log-probabilities of "old": /],
    ['f_grpo/llama__weaver', 'io', 'advantages', 1, (x) => x + 1e-4, /^advantages: /],
    ['f_grpo/llama__weaver', 'weaver_grads', 'dr_grpo_beta0.04_old.grad.weaver.prompt_query_latents', 3, (x) => x * 1.002 + Math.sign(x) * 2e-5, /^gradient of weaver\.prompt_query_latents, dr_grpo_beta0\.04_old: /],
    ['f_grpo/llama__trigger', 'io', 'augmentation_mask', 0, (x) => 1 - x, /^log-probabilities of "old": element 0: /],
    ['f_grpo/llama__trigger', 'trigger_grads', 'grpo_beta0.04_old.grad.trigger.output_layer.weight', 5, (x) => x * 1.002 + Math.sign(x) * 2e-5, /^gradient of trigger\.output_layer\.weight, grpo_beta0\.04_old: /],
    ['h_dtypes', 'mixed', 'f32', 0, (x) => x * (1 + 2 ** -23), /^f32: \[0\]: /],
  ]; // prettier-ignore

  it.each(wrongNumbers)('%s: for a wrong number in %s, %s', async (name, file, tensor, index, by, problem) => {
    const root = await copyOf(name);
    await change(join(root, name, `${file}.safetensors`), tensor, index, by);
    const [result] = await resultsOf(root);
    expect(result).toMatchObject({ name, outcome: 'failed' });
    expect(result).toHaveProperty('failures.0', expect.stringMatching(problem));
  });

  it('for a wrong text', async () => {
    const root = await copyOf('g_tokenizers');
    const path = join(root, 'g_tokenizers', 'tiny-gpt2.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"Hello, world."', '"Hello, World."'));
    const [result] = await resultsOf(root, ['g_tokenizers/tiny-gpt2']);
    expect(result).toHaveProperty('failures.0', expect.stringContaining('ids of "Hello, World."'));
  });

  it('for a broken or missing file, and says which', async () => {
    const root = await copyOf('a_models/llama-gqa-untied');
    const path = join(root, 'a_models/llama-gqa-untied/io.safetensors');
    await truncate(path, 1000);
    expect(await resultsOf(root)).toMatchObject([{ outcome: 'failed', failures: [expect.stringContaining(path)] }]);
    await rm(path);
    expect(await resultsOf(root)).toMatchObject([{ outcome: 'failed', failures: [expect.stringContaining(path)] }]);
    await writeFile(join(dirname(path), 'meta.json'), '{"inv_freq": 1}');
    expect(await resultsOf(root)).toMatchObject([{ failures: [expect.stringContaining('meta.json')] }]);
  });

  it('for tensors that stay behind', async () => {
    const left: tf.Tensor[] = [];
    const check = () => {
      left.push(tf.scalar(1));
      return Promise.resolve();
    };
    const result = await runCase(
      { name: 'h_dtypes', kind: { pattern: /^/, check } },
      { root: goldenFixture(), now: () => 0 },
    );
    tf.dispose(left);
    expect(result).toMatchObject({ outcome: 'failed', failures: ['tensors left behind: got 1, expected 0'] });
  });
});

describe('runCase', () => {
  it('closes what a check opened, even when it fails', async () => {
    const closed: string[] = [];
    const result = await runCase(
      {
        name: 'h_dtypes',
        kind: {
          pattern: /^/,
          check: (golden) => {
            for (const name of ['first', 'second']) golden.own({ dispose: () => closed.push(name) });
            return Promise.reject(new Error('broken'));
          },
        },
      },
      { root: goldenFixture(), now: () => 0 },
    );
    expect(closed).toEqual(['second', 'first']);
    expect(result).toMatchObject({ outcome: 'failed', failures: [expect.stringMatching(/^error: Error: broken/)] });
  });

  it('measures the time with the given clock', async () => {
    const times = [10, 35];
    const kind = { pattern: /^/, check: () => Promise.resolve() };
    const result = await runCase({ name: 'x', kind }, { root: goldenFixture(), now: () => times.shift()! });
    expect(result).toMatchObject({ milliseconds: 25 });
  });
});
