// What is told of a model folder, also of one that cannot be run.
import { copyFile, cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelFolder } from '@memgen/tiny-reasoner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as p from '../formats/torch-pickle/pickle-bytes.test-helper.js';
import { bytesOf, checkpointBytes } from '../formats/torch-pickle/zip-bytes.test-helper.js';
import { inspectModel } from './inspect-model.js';
import type { InspectedModel } from './inspection.js';
import { summarizeByDtype } from './stored-tensors.js';

let root: string;
let folder: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-inspect-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  folder = join(root, String(count++));
  await mkdir(folder);
});

async function inspectAsModel(source: string): Promise<InspectedModel> {
  const inspection = await inspectModel(source);
  if (inspection.kind !== 'model') throw new Error(`inspected as ${inspection.kind}`);
  return inspection;
}

/** A copy of the tiny reasoner with another configuration. */
async function reconfigured(changes: Record<string, unknown>): Promise<string> {
  await cp(modelFolder(), folder, { recursive: true });
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }));
  return folder;
}

describe('a model folder', () => {
  it('is described whole', async () => {
    const inspection = await inspectAsModel(modelFolder());
    const { tensors, files, memory, ...rest } = inspection;
    expect(rest).toEqual({
      kind: 'model',
      format: 'safetensors',
      source: modelFolder(),
      path: modelFolder(),
      architecture: {
        type: 'qwen2',
        className: 'Qwen2ForCausalLM',
        layers: 4,
        hiddenSize: 128,
        intermediateSize: 384,
        heads: 4,
        keyValueHeads: 4,
        headSize: 32,
        vocabularySize: 768,
        maxPositions: 512,
        tiedEmbeddings: true,
        rope: { theta: 10000 },
        parameters: 952_960,
      },
      tokenizer: { kind: 'byte-level BPE', tokens: 768, chatTemplate: true },
      unusedTensors: [],
      problems: [],
    });
    expect(summarizeByDtype(tensors)).toEqual([
      { dtype: 'BF16', tensors: 50, elements: 952_960, byteLength: 1_905_920 },
    ]);
    expect(tensors.find(({ name }) => name === 'model.norm.weight')).toEqual({
      name: 'model.norm.weight',
      dtype: 'BF16',
      shape: [128],
      byteLength: 256,
    });
    expect(files.map(({ name }) => name)).toContain('tokenizer.json');
    expect(memory?.backends.find(({ backend }) => backend === 'webgpu')?.deviceMemory).toBe(memory?.estimate.weights);
    expect(memory?.trainingTotalKept).toBeGreaterThan(memory!.trainingTotal);
  });

  it('needs no weights to be read, however many there are', async () => {
    await cp(modelFolder(), folder, { recursive: true });
    const shape = [2 ** 17, 2 ** 16];
    const byteLength = 4 * 2 ** 33;
    const header = JSON.stringify({
      'model.embed_tokens.weight': { dtype: 'F32', shape, data_offsets: [0, byteLength] },
    });
    const start = Buffer.alloc(8 + header.length);
    start.writeBigUInt64LE(BigInt(header.length));
    start.write(header, 8);
    const file = await open(join(folder, 'model.safetensors'), 'w');
    await file.write(start);
    // A hole: the file says to be of 34 GB and takes no room.
    await file.truncate(start.length + byteLength);
    await file.close();
    const { architecture, problems } = await inspectAsModel(folder);
    expect(architecture.parameters).toBe(2 ** 33);
    expect(problems.map(({ message }) => message).join('\n')).toMatch(/49 tensors .* are missing[\s\S]*another shape/);
  });

  it.each<[string, Record<string, unknown>, RegExp, Partial<InspectedModel['architecture']>]>([
    [
      'another architecture',
      { model_type: 'mamba', tie_word_embeddings: undefined },
      /"mamba"/,
      { type: 'mamba', layers: 4, tiedEmbeddings: undefined },
    ],
    ['a sliding window', { use_sliding_window: true }, /use_sliding_window/, { tiedEmbeddings: true }],
    ['another activation', { hidden_act: 'gelu' }, /hidden_act/, {}],
    [
      'an unknown rotary scaling',
      { rope_scaling: { rope_type: 'longrope', factor: 4 } },
      /longrope/,
      { rope: { theta: 10000, scaling: { type: 'longrope', factor: 4, originalContext: undefined } } },
    ],
    ['a missing size', { hidden_size: undefined }, /hidden_size/, { hiddenSize: undefined, headSize: undefined }],
  ])('with %s is described, with the field that stands in the way', async (_, changes, message, facts) => {
    const { problems, architecture, memory } = await inspectAsModel(await reconfigured(changes));
    expect(problems).toEqual([
      { part: 'configuration', code: expect.stringMatching(/^model-/), message: expect.stringMatching(message) },
    ]);
    expect(architecture).toMatchObject({ parameters: 952_960, ...facts });
    expect(memory).toBeUndefined();
  });

  it('says which tensors do not fit its configuration, each kind once', async () => {
    const path = await reconfigured({ num_hidden_layers: 5, intermediate_size: 400, tie_word_embeddings: false });
    const problems = (await inspectAsModel(path)).problems.map(({ message }) => message);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^13 tensors .* are missing\n +got: +model\.layers\.4\.\S+, \S+, \S+ and 10 more/);
    expect(problems[1]).toMatch(/^12 tensors of another shape[\s\S]*\[384, 128\][\s\S]*\[400, 128\]/);
  });

  it('names the tensors that are not used, and types that are no weights', async () => {
    const path = await reconfigured({ num_hidden_layers: 3 });
    expect((await inspectAsModel(path)).unusedTensors).toHaveLength(12);
    const header = JSON.stringify({ 'model.norm.weight': { dtype: 'F8_E4M3', shape: [128], data_offsets: [0, 128] } });
    const bytes = Buffer.alloc(8 + header.length + 128);
    bytes.writeBigUInt64LE(BigInt(header.length));
    bytes.write(header, 8);
    await writeFile(join(path, 'model.safetensors'), bytes);
    expect((await inspectAsModel(path)).problems.map(({ code }) => code)).toEqual(['model-tensor', 'tensor-type']);
  });

  it('without weights or tokenizer is described as far as it goes', async () => {
    await copyFile(join(modelFolder(), 'config.json'), join(folder, 'config.json'));
    const { problems, tokenizer, tensors, architecture } = await inspectAsModel(folder);
    expect(problems.map(({ part, code }) => [part, code])).toEqual([
      ['tokenizer', 'tokenizer-missing'],
      ['weights', 'weights-not-found'],
    ]);
    expect([tokenizer, tensors.length, architecture.layers]).toEqual([undefined, 0, 4]);
  });

  it('of PyTorch weights is described like any other', async () => {
    await copyFile(join(modelFolder(), 'config.json'), join(folder, 'config.json'));
    const value = p.stateDict({ 'model.norm.weight': p.tensor({ elements: 128, shape: [128] }) });
    const storages = [bytesOf(new Float32Array(128))];
    await writeFile(join(folder, 'pytorch_model.bin'), checkpointBytes({ value, storages }));
    const { tensors, problems, format } = await inspectAsModel(folder);
    expect(format).toBe('torch-pickle');
    expect(tensors).toEqual([{ name: 'model.norm.weight', dtype: 'F32', shape: [128], byteLength: 512 }]);
    expect(problems.map(({ code }) => code)).toEqual(['tokenizer-missing', 'model-tensor']);
  });
});
