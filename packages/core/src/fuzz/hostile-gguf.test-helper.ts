// Damaged GGUF files: lying counts, dimensions, types and offsets; nested lists; odd tokenizers; changed bytes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '@memgen/common';
import * as g from '../formats/gguf/gguf-bytes.test-helper.js';
import { hostileNumbers, mutateBytes } from './hostile-bytes.test-helper.js';

type Pair = NonNullable<g.GgufParts['pairs']>[number];
type Value = Pair[1];

const tinyLlama = join(import.meta.dirname, '../formats/gguf/__fixtures__/tiny-llama.gguf');

const textsValue = (values: readonly string[]): Value => ({
  type: 9,
  bytes: Buffer.concat([g.u32(8), g.u64(values.length), ...values.map(g.text)]),
});
const floatValue = (value: number): Value => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return { type: 6, bytes };
};

const nested = (levels: number): Value => ({
  type: 9,
  bytes: Buffer.concat([
    ...Array.from({ length: levels }, () => Buffer.concat([g.u32(9), g.u64(1)])),
    g.u32(4),
    g.u64(0),
  ]),
});

const pairs: readonly Pair[] = [
  ['general.architecture', g.textValue('llama')],
  ['llama.block_count', g.u32Value(1)],
  ['llama.context_length', g.u32Value(128)],
  ['llama.embedding_length', g.u32Value(32)],
  ['llama.feed_forward_length', g.u32Value(64)],
  ['llama.attention.head_count', g.u32Value(4)],
  ['llama.attention.head_count_kv', g.u32Value(2)],
  ['llama.rope.freq_base', floatValue(10000)],
  ['tokenizer.ggml.model', g.textValue('gpt2')],
  ['tokenizer.ggml.pre', g.textValue('smollm')],
  ['tokenizer.ggml.tokens', textsValue(['<s>', '</s>', 'a', 'b', 'ab'])],
  ['tokenizer.ggml.token_type', g.u32sValue([3, 3, 1, 1, 1])],
  ['tokenizer.ggml.merges', textsValue(['a b'])],
  ['tokenizer.ggml.eos_token_id', g.u32Value(1)],
  ['tokenizer.chat_template', g.textValue('{{ messages[0].content }}')],
];

const tensors: NonNullable<g.GgufParts['tensors']> = [
  { name: 'token_embd.weight', dimensions: [32, 5], type: 0, offset: 0 },
  { name: 'blk.0.attn_q.weight', dimensions: [32, 32], type: 8, offset: 640 },
  { name: 'rope_freqs.weight', dimensions: [4], type: 0, offset: 1728 },
];
const data = Buffer.alloc(1760, 1);

export async function hostileGguf(random: Random): Promise<Buffer> {
  const intact = g.ggufBytes({ pairs, tensors, data });
  const chance = random.float();
  if (chance < 0.25) return mutateBytes(random, await readFile(tinyLlama), 1500);
  if (chance < 0.35) return mutateBytes(random, intact, 800);
  const parts: g.GgufParts = { pairs: damagedPairs(random), tensors: damagedTensors(random), data: someData(random) };
  const bytes = g.ggufBytes({
    ...parts,
    ...(random.float() < 0.1 && { tensorCount: random.pick(hostileNumbers) }),
    ...(random.float() < 0.1 && { pairCount: random.pick(hostileNumbers) }),
    ...(random.float() < 0.05 && { version: random.int(5) }),
  });
  return random.float() < 0.1 ? mutateBytes(random, bytes, 800) : bytes;
}

function damagedPairs(random: Random): Pair[] {
  const changed = [...pairs];
  for (let changes = random.int(3); changes > 0; changes--) {
    const place = random.int(changed.length);
    const [key] = changed[place]!;
    const chance = random.float();
    if (chance < 0.1) changed.splice(place, 1);
    else if (chance < 0.2) changed.push(changed[place]!);
    else changed[place] = [key, hostileValue(random)];
  }
  if (random.float() < 0.1) changed.push(['general.alignment', hostileValue(random)]);
  if (random.float() < 0.1) changed.push(['split.count', hostileValue(random)]);
  if (random.float() < 0.1)
    changed.push(['llama.rope.scaling.type', g.textValue(random.pick(['yarn', 'linear', 'x']))]);
  return changed;
}

function hostileValue(random: Random): Value {
  const count = random.pick(hostileNumbers);
  return random.pick<() => Value>([
    () =>
      g.textValue(random.pick(['', 'qwen3', '__proto__', '\0', 'a b c', '{% for i in range(9**9) %}x{% endfor %}'])),
    () => g.u32Value(Number(BigInt.asUintN(32, count))),
    () => ({ type: 10, bytes: g.u64(BigInt.asUintN(64, count)) }),
    () => ({ type: 5, bytes: g.u32(2 ** 32 - 2) }),
    () => floatValue(random.pick([NaN, Infinity, -1, 0, 1e-40, 0.5])),
    () => g.u32sValue([0, 1, 2 ** 32 - 1]),
    () => textsValue(['a', 'a', '__proto__', '']),
    () => textsValue(Array.from({ length: 3000 }, (_, i) => `t${i}`)),
    () => nested(random.pick([2, 5, 2000])),
    () => ({ type: 9, bytes: Buffer.concat([g.u32(random.int(14)), g.u64(BigInt.asUintN(64, count))]) }),
    () => ({ type: 8, bytes: g.u64(BigInt.asUintN(64, count)) }),
    () => ({ type: random.int(2 ** 16), bytes: Buffer.alloc(8) }),
  ])();
}

function damagedTensors(random: Random): NonNullable<g.GgufParts['tensors']> {
  const number = (): bigint => BigInt.asUintN(64, random.pick(hostileNumbers));
  return tensors.map((tensor) => {
    switch (random.int(9)) {
      case 0:
        return { ...tensor, dimensions: [number(), ...tensor.dimensions.slice(1)] };
      case 1:
        return { ...tensor, dimensions: [...tensor.dimensions, number(), number()] };
      case 2:
        return { ...tensor, type: random.int(45) };
      case 3:
        return { ...tensor, offset: number() };
      case 4:
        return {
          ...tensor,
          name: random.pick(['output.weight', 'blk.99999.attn_q.weight', '../x', 'blk.0.attn_k.bias']),
        };
      case 5:
        return { ...tensor, dimensions: random.pick([[], [0], [0n, 2n ** 40n], [40_000]]) };
      default:
        return tensor;
    }
  });
}

/** Sometimes much more, so that large tensors fit. */
function someData(random: Random): Buffer {
  return random.float() < 0.1 ? Buffer.alloc(1_000_000, random.int(256)) : data;
}
