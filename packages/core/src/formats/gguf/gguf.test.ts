import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDecoderConfig } from '../../model/decoder-config.js';
import { openSafetensors } from '../safetensors/index.js';
import { ggufBytes, textValue, u32, u32sValue, u32Value, u64, type GgufParts } from './gguf-bytes.test-helper.js';
import { ggufToConfig, openGguf } from './index.js';

const fixtures = join(import.meta.dirname, '__fixtures__');
const tinyLlama = join(fixtures, 'tiny-llama.gguf');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-gguf-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function craft(parts: GgufParts | Uint8Array): Promise<string> {
  const path = join(folder, 'crafted.gguf');
  await writeFile(path, parts instanceof Uint8Array ? parts : ggufBytes(parts));
  return path;
}

const llama = ['general.architecture', textValue('llama')] as const;

describe('openGguf', () => {
  it('gives the weights their Hugging Face names, shapes, row order and values', async () => {
    const file = await openGguf(tinyLlama);
    const expected = await openSafetensors(join(fixtures, 'tiny-llama.safetensors'));
    expect([...file.tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort());
    for (const [name, { shape }] of expected.tensors) {
      expect(file.tensors.get(name)?.shape, name).toEqual(shape);
      expect(await file.readFloat32(name), name).toEqual(await expected.readFloat32(name));
    }
    expect(file.tensors.get('model.layers.0.mlp.up_proj.weight')?.dtype).toBe('Q4_0');
    await expect(file.readFloat32('lm_head.weight')).rejects.toMatchObject({ code: 'tensor-missing' });
    await file.close();
    await expected.close();
  });

  it('reads metadata of every type', async () => {
    const file = await openGguf(tinyLlama);
    const test = [...file.metadata].filter(([key]) => key.startsWith('test.'));
    expect(Object.fromEntries(test)).toEqual({
      'test.uint8': 200,
      'test.int8': -5,
      'test.uint16': 60000,
      'test.int16': -300,
      'test.uint32': 4000000000,
      'test.int32': -70000,
      'test.float32': 0.5,
      'test.bool': true,
      'test.string': 'héllo',
      'test.uint64': 2n ** 63n,
      'test.int64': -(2 ** 40),
      'test.float64': 0.1,
      'test.array': [1, -2, 3],
      'test.texts': ['a', '', 'ß'],
    });
    await file.close();
  });

  it('reads version 2 as well and leaves Qwen2 rows in their order', async () => {
    const data = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
    const tensor = { name: 'blk.3.attn_q.weight', dimensions: [2, 4], type: 0, offset: 0 };
    const pairs = [['general.architecture', textValue('qwen2')]] as const;
    const file = await openGguf(await craft({ version: 2, pairs, tensors: [tensor], data }));
    const name = 'model.layers.3.self_attn.q_proj.weight';
    expect(file.tensors.get(name)?.shape).toEqual([4, 2]);
    expect([...(await file.readFloat32(name))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await file.close();
  });

  it('puts SmolLM3 rows back into their order, by its own head counts', async () => {
    const data = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
    const pairs = [
      ['general.architecture', textValue('smollm3')],
      ['smollm3.attention.head_count', u32Value(2)],
      ['smollm3.attention.head_count_kv', u32Value(1)],
    ] as const;
    const tensors = ['q', 'k'].map((kind, i) => ({
      name: `blk.3.attn_${kind}.weight`,
      dimensions: [1, 8],
      type: 0,
      offset: 32 * i,
    }));
    const file = await openGguf(await craft({ pairs, tensors, data: Buffer.concat([data, data]) }));
    const rows = async (kind: string) => [...(await file.readFloat32(`model.layers.3.self_attn.${kind}_proj.weight`))];
    expect(await rows('q')).toEqual([1, 3, 2, 4, 5, 7, 6, 8]);
    expect(await rows('k')).toEqual([1, 3, 5, 7, 2, 4, 6, 8]);
    await file.close();
  });

  it('reads tensors longer than one piece', async () => {
    const values = Float32Array.from({ length: 2 ** 20 + 64 }, (_, i) => i % 1000);
    const tensor = { name: 'output.weight', dimensions: [64, values.length / 64], type: 0, offset: 0 };
    const data = new Uint8Array(values.buffer);
    const file = await openGguf(await craft({ pairs: [llama], tensors: [tensor], data }));
    // Comparing large arrays with toEqual takes seconds.
    const read = await file.readFloat32('lm_head.weight');
    expect(Buffer.compare(new Uint8Array(read.buffer), data)).toBe(0);
    await file.close();
  });
});

describe('a hostile or damaged GGUF file', () => {
  const one = { name: 'output_norm.weight', dimensions: [8], type: 0, offset: 0 };
  const data = new Uint8Array(32);
  const cases: [what: string, parts: GgufParts, message: RegExp][] = [
    ['of another kind', { magic: 'PK\x03\x04' }, /no GGUF file[\s\S]*504b0304/],
    ['of version 1', { version: 1 }, /version 1/],
    ['of the other byte order', { version: 3 << 24 }, /big-endian/],
    ['with too many tensors', { tensorCount: 2 ** 40 }, /too many tensors/],
    ['with an impossible count', { tensorCount: 2n ** 63n }, /cannot be so large/],
    ['with too many keys', { pairCount: 2 ** 40 }, /too many keys/],
    ['with a key twice', { pairs: [llama, llama] }, /twice/],
    ['with an unknown value type', { pairs: [['x', { type: 77, bytes: Buffer.alloc(0) }]] }, /type 77/],
    ['with a long key', { pairs: [['k'.repeat(70_000), u32Value(1)]] }, /a key is too long/],
    ['with a long text', { pairs: [['x', { type: 8, bytes: u64(2 ** 40) }]] }, /text of "x" is too long/],
    ['with a text past the end', { pairs: [['x', { type: 8, bytes: u64(10_000) }]] }, /ends too early/],
    [
      'with a list past the end',
      { pairs: [['x', { type: 9, bytes: Buffer.concat([u32(4), u64(10_000_000)]) }]] },
      /ends too early/,
    ],
    [
      'with a list of too many',
      { pairs: [['x', { type: 9, bytes: Buffer.concat([u32(0), u64(2 ** 50)]) }]] },
      /list "x" is too long/,
    ],
    [
      'with lists in lists in lists',
      { pairs: [['x', { type: 9, bytes: Buffer.concat(Array(9).fill(Buffer.concat([u32(9), u64(1)]))) }]] },
      /nested too deeply/,
    ],
    ['with an odd alignment', { pairs: [llama, ['general.alignment', u32Value(12)]] }, /alignment is wrong/],
    ['with no alignment', { pairs: [llama, ['general.alignment', u32Value(0)]] }, /alignment is wrong/],
    ['with a tensor twice', { pairs: [llama], tensors: [one, one], data }, /given twice/],
    ['with five dimensions', { pairs: [llama], tensors: [{ ...one, dimensions: [1, 1, 1, 1, 1] }] }, /too many dim/],
    [
      'with a product that overflows',
      { pairs: [llama], tensors: [{ ...one, dimensions: [2 ** 40, 2 ** 40, 2 ** 40] }], data },
      /shape is impossible/,
    ],
    ['with a tensor past the end', { pairs: [llama], tensors: [{ ...one, dimensions: [9] }], data }, /ends before/],
    ['with an offset past the end', { pairs: [llama], tensors: [{ ...one, offset: 2 ** 50 }], data }, /ends before/],
    ['with a crooked offset', { pairs: [llama], tensors: [{ ...one, offset: 4 }], data }, /not aligned/],
    ['with part of a block', { pairs: [llama], tensors: [{ ...one, type: 8 }], data }, /whole Q8_0 blocks/],
    ['of another quantisation', { pairs: [llama], tensors: [{ ...one, type: 10 }], data }, /Q2_K/],
    ['of an unknown type', { pairs: [llama], tensors: [{ ...one, type: 99 }], data }, /type 99/],
    [
      'with tensors that overlap',
      { pairs: [llama], tensors: [one, { ...one, name: 'output.weight' }], data },
      /overlaps another/,
    ],
    ['of another architecture', { pairs: [['general.architecture', textValue('mamba')]] }, /mamba[\s\S]*llama, qwen2/],
    ['without an architecture', {}, /no general\.architecture/],
    ['with experts', { pairs: [llama], tensors: [{ ...one, name: 'blk.0.ffn_gate_exps.weight' }], data }, /experts/],
    ['in parts', { pairs: [llama, ['split.count', u32Value(3)]] }, /3 parts[\s\S]*merge/],
  ];
  it.each(cases)('%s is refused', async (_, parts, message) => {
    const failure = await openGguf(await craft(parts)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'MemGenError', message: expect.stringMatching(message) });
  });

  it('that is cut anywhere is refused', async () => {
    const bytes = await readFile(tinyLlama);
    for (let length = 0; length < bytes.length; length += length < 3000 ? 29 : 997) {
      await expect(openGguf(await craft(bytes.subarray(0, length)))).rejects.toMatchObject({ name: 'MemGenError' });
    }
  });

  it('with changed bytes never fails in another way', async () => {
    const bytes = await readFile(tinyLlama);
    const changes = fc.array(fc.tuple(fc.nat(2500), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, async (places) => {
        const changed = Uint8Array.from(bytes);
        for (const [at, value] of places) changed[at] = value;
        try {
          const file = await openGguf(await craft(changed));
          for (const name of file.tensors.keys()) await file.readFloat32(name).catch(expectMemGenError);
          await file.close();
          ggufToConfig(file);
        } catch (error) {
          expectMemGenError(error);
        }
      }),
      { numRuns: 150 },
    );
  });
});

function expectMemGenError(error: unknown): void {
  expect(error).toMatchObject({ name: 'MemGenError' });
}

describe('ggufToConfig', () => {
  const embedding = { name: 'token_embd.weight', dimensions: [8, 2], type: 0, offset: 0 };
  const head = { name: 'output.weight', dimensions: [8, 2], type: 0, offset: 64 };
  const base: Record<string, ReturnType<typeof u32Value>> = {
    'general.architecture': textValue('llama'),
    'llama.block_count': u32Value(1),
    'llama.context_length': u32Value(99),
    'llama.embedding_length': u32Value(8),
    'llama.feed_forward_length': u32Value(16),
    'llama.attention.head_count': u32Value(2),
  };

  async function configOf(extra: typeof base, tensors = [embedding, head], data = new Uint8Array(256)) {
    const pairs = Object.entries({ ...base, ...extra });
    const file = await openGguf(await craft({ pairs, tensors, data }));
    try {
      return ggufToConfig(file);
    } finally {
      await file.close();
    }
  }

  it('says what the Hugging Face config.json says', async () => {
    const file = await openGguf(tinyLlama);
    expect(ggufToConfig(file)).toMatchObject({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: 12,
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 1,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 8,
      max_position_embeddings: 128,
      rms_norm_eps: 1e-5,
      rope_theta: 50000,
      rope_scaling: null,
      tie_word_embeddings: true,
      attention_bias: false,
      bos_token_id: 1,
      eos_token_id: 2,
      pad_token_id: 2,
    });
    await file.close();
  });

  it('leaves every fourth layer of SmolLM3 without rotary embedding', async () => {
    const values = {
      block_count: 8,
      context_length: 64,
      embedding_length: 8,
      feed_forward_length: 8,
      'attention.head_count': 2,
    };
    const pairs = Object.entries(values).map(([key, value]) => [`smollm3.${key}`, u32Value(value)] as const);
    const tensor = { name: 'token_embd.weight', dimensions: [8, 4], type: 0, offset: 0 };
    const architecture = ['general.architecture', textValue('smollm3')] as const;
    const file = await openGguf(
      await craft({ pairs: [architecture, ...pairs], tensors: [tensor], data: Buffer.alloc(128) }),
    );
    const config = readDecoderConfig(ggufToConfig(file));
    await file.close();
    expect(config.modelType).toBe('smollm3');
    expect(config.layerUsesRotary).toEqual([true, true, true, false, true, true, true, false]);
  });

  it('unties embeddings where there is a head, and takes equal numbers for all layers', async () => {
    expect(await configOf({ 'llama.attention.head_count_kv': u32sValue([1, 1]) })).toMatchObject({
      tie_word_embeddings: false,
      num_key_value_heads: 1,
      rope_theta: 10000,
      head_dim: 4,
      bos_token_id: null,
    });
    expect(await configOf({}, [embedding])).toMatchObject({ tie_word_embeddings: true, num_key_value_heads: 2 });
  });

  it('knows linear and YaRN scaling', async () => {
    const scaling = (type: string) => ({
      'llama.rope.scaling.type': textValue(type),
      'llama.rope.scaling.factor': { type: 6, bytes: Buffer.from(Float32Array.of(4).buffer) },
      'llama.rope.scaling.original_context_length': u32Value(32),
    });
    expect((await configOf(scaling('linear'))).rope_scaling).toEqual({ rope_type: 'linear', factor: 4 });
    expect((await configOf(scaling('yarn'))).rope_scaling).toEqual({
      rope_type: 'yarn',
      factor: 4,
      original_max_position_embeddings: 32,
    });
    await expect(configOf(scaling('longrope'))).rejects.toThrow(/longrope/);
  });

  it("recognises Llama 3's scaling from its table, and no other table", async () => {
    // Head size 64, theta 500000, factor 8: the wave lengths of the pairs are 2 pi 500000^(i / 32).
    const table = Float32Array.from({ length: 32 }, (_, i) => {
      const wavelength = 2 * Math.PI * 500000 ** (i / 32);
      if (wavelength < 8192 / 4) return 1;
      if (wavelength > 8192) return 8;
      const smooth = (8192 / wavelength - 1) / 3;
      return 1 / ((1 - smooth) / 8 + smooth);
    });
    const frequencies = { name: 'rope_freqs.weight', dimensions: [32], type: 0, offset: 128 };
    const data = (values: Float32Array) => Buffer.concat([Buffer.alloc(128), new Uint8Array(values.buffer)]);
    const extra = { 'llama.rope.freq_base': { type: 6, bytes: Buffer.from(Float32Array.of(500000).buffer) } };
    const tensors = [embedding, head, frequencies];
    expect((await configOf(extra, tensors, data(table))).rope_scaling).toEqual({
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    });
    await expect(configOf(extra, tensors, data(table.map((x) => x + 1)))).rejects.toThrow(/not that of Llama 3/);
  });

  it('says which value is missing or wrong', async () => {
    await expect(configOf({ 'llama.block_count': u32Value(0) })).rejects.toThrow(/llama\.block_count is wrong/);
    await expect(configOf({ 'llama.context_length': textValue('x') })).rejects.toThrow(/context_length is wrong/);
    await expect(configOf({ 'llama.attention.head_count': u32sValue([2, 4]) })).rejects.toThrow(/different numbers/);
    await expect(configOf({ 'llama.attention.head_count': u32Value(3) })).rejects.toThrow(/3 for 8/);
    await expect(configOf({}, [head])).rejects.toThrow(/token_embd/);
    const file = await openGguf(await craft({ pairs: [llama], tensors: [embedding], data: new Uint8Array(64) }));
    expect(() => ggufToConfig(file)).toThrow(/head_count is missing/);
    await file.close();
  });
});
