// What is told of a GGUF file, also of one that cannot be run.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ggufBytes, textValue, u32Value, type GgufParts } from '../formats/gguf/gguf-bytes.test-helper.js';
import { inspectModel } from './inspect-model.js';
import type { InspectedModel } from './inspection.js';

const tinyLlama = join(import.meta.dirname, '../formats/gguf/__fixtures__/tiny-llama.gguf');

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

describe('a GGUF file', () => {
  const craft = async (parts: GgufParts): Promise<string> => {
    await writeFile(join(folder, 'model.gguf'), ggufBytes(parts));
    return join(folder, 'model.gguf');
  };

  it('is described in the names of Hugging Face', async () => {
    const { architecture, tokenizer, tensors, problems, format, memory } = await inspectAsModel(tinyLlama);
    expect(architecture).toEqual({
      type: 'llama',
      className: 'LlamaForCausalLM',
      layers: 1,
      hiddenSize: 32,
      intermediateSize: 64,
      heads: 4,
      keyValueHeads: 2,
      headSize: 8,
      vocabularySize: 12,
      maxPositions: 128,
      tiedEmbeddings: true,
      rope: { theta: 50000 },
      parameters: 9_696,
    });
    expect(tokenizer).toEqual({ kind: 'byte-level BPE', tokens: 12, chatTemplate: true });
    expect([format, problems, tensors.length]).toEqual(['gguf', [], 11]);
    expect(tensors.find(({ name }) => name.endsWith('up_proj.weight'))).toMatchObject({ dtype: 'Q4_0' });
    expect(memory?.estimate.weights).toBeGreaterThan(0);
  });

  const mamba = {
    pairs: [
      ['general.architecture', textValue('mamba')],
      ['mamba.block_count', u32Value(24)],
      ['mamba.embedding_length', u32Value(32)],
      ['mamba.rope.scaling.type', textValue('linear')],
      ['tokenizer.ggml.model', textValue('llama')],
    ],
    tensors: [
      { name: 'token_embd.weight', dimensions: [32, 4], type: 0, offset: 0 },
      { name: 'output.weight', dimensions: [256, 1], type: 10, offset: 512 },
    ],
    data: new Uint8Array(512 + 96),
  } satisfies GgufParts;

  it('of another architecture and quantisation is described under its own names', async () => {
    const { architecture, tokenizer, tensors, problems } = await inspectAsModel(await craft(mamba));
    expect(architecture).toMatchObject({
      type: 'mamba',
      layers: 24,
      hiddenSize: 32,
      vocabularySize: 4,
      tiedEmbeddings: false,
      rope: { scaling: { type: 'linear' } },
      parameters: 384,
    });
    expect(tokenizer).toEqual({ kind: 'SentencePiece BPE', tokens: 0, chatTemplate: false });
    expect(tensors).toEqual([
      { name: 'token_embd.weight', dtype: 'F32', shape: [4, 32], byteLength: 512 },
      { name: 'output.weight', dtype: 'Q2_K', shape: [1, 256], byteLength: 96 },
    ]);
    expect(problems).toEqual([{ part: 'weights', code: 'gguf-type', message: expect.stringContaining('Q2_K') }]);
  });

  it('without a tokenizer that can be read says so', async () => {
    const pairs = [
      ...Object.entries({ block_count: 1, context_length: 9, embedding_length: 8, feed_forward_length: 8 }),
      ['attention.head_count', 2] as const,
    ].map(([key, value]) => [`llama.${key}`, u32Value(value)] as const);
    const tensors = [{ name: 'token_embd.weight', dimensions: [8, 2], type: 0, offset: 0 }];
    const path = await craft({
      pairs: [['general.architecture', textValue('llama')], ...pairs],
      tensors,
      data: new Uint8Array(64),
    });
    const { problems, tokenizer } = await inspectAsModel(path);
    expect(tokenizer).toBeUndefined();
    expect(problems.map(({ part, code }) => [part, code])).toEqual([
      ['tokenizer', 'gguf-tokenizer'],
      ['weights', 'model-tensor'],
    ]);
  });

  it.each<[string, GgufParts, RegExp]>([
    ['another kind', { magic: 'PK\x03\x04' }, /no GGUF file/],
    ['version 9', { version: 9 }, /version/],
    ['too many tensors', { tensorCount: 2 ** 40 }, /too many tensors/],
    ['tensors past the end', { tensorCount: 5 }, /ends too early/],
    [
      'too many dimensions',
      { tensors: [{ name: 'x', dimensions: Array(9).fill(1), type: 0, offset: 0 }] },
      /dimensions/,
    ],
  ])('of %s is refused', async (_, parts, message) => {
    await expect(inspectModel(await craft(parts))).rejects.toMatchObject({
      name: 'MemGenError',
      message: expect.stringMatching(message),
    });
  });

  it('with changed bytes never fails in another way', async () => {
    const bytes = await readFile(tinyLlama);
    const path = join(folder, 'changed.gguf');
    const changes = fc.array(fc.tuple(fc.nat(2500), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, async (places) => {
        const changed = Uint8Array.from(bytes);
        for (const [at, value] of places) changed[at] = value;
        await writeFile(path, changed);
        await inspectModel(path).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'MemGenError' });
        });
      }),
      { numRuns: 100 },
    );
  });
});
