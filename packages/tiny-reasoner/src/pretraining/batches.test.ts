import { Random } from '@memgen/common';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { buildTokenizer } from '../tokenizer/build-tokenizer.js';
import { createPretrainingRows } from '../world/pretraining-rows.js';
import { Batches } from './batches.js';

const { tokenizer, config } = buildTokenizer();
const library = new Tokenizer(tokenizer, config);
const encode = (text: string) => library.encode(text, { add_special_tokens: false }).ids;
const create = () =>
  new Batches({ rows: createPretrainingRows({ seed: 3 }), encode, batchRows: 4, random: Random.fromSeed(3) });

describe('Batches', () => {
  it('gives the same batch whether reached in order or by skipping', () => {
    const inOrder = create();
    const all = Array.from({ length: 20 }, (_, step) => inOrder.batch(step));
    expect(create().batch(19)).toEqual(all[19]);
    expect(all.every((batch) => batch.length === 4)).toBe(true);
    expect(() => inOrder.batch(3)).toThrow(/in order/);
  });

  it('supervises what the assistant writes, to the end token and the line end', () => {
    for (const { ids, labels } of create().batch(0)) {
      const first = labels.findIndex((label) => label !== -100);
      expect(labels.slice(first)).toEqual(ids.slice(first));
      expect(library.decode(ids.slice(0, first))).toContain('<|im_start|>assistant\n');
      expect(library.decode(labels.slice(first))).toMatch(/<\|im_end\|>\n$/);
    }
  });
});
