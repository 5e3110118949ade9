// Tests of the tokenizer that is built for the tiny world, read back by the Hugging Face reader.
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { createPretrainingRows } from '../world/pretraining-rows.js';
import { dayNames, itemNames, personNames } from '../world/words.js';
import { buildTokenizer } from './build-tokenizer.js';
import { renderRow } from './render.js';
import { specialTokens } from './tokenizer-files.js';

const built = buildTokenizer();
const tokenizer = new Tokenizer(built.tokenizer, built.config);
const ids = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;

describe('buildTokenizer', () => {
  it('is what lies in the model folder', () => {
    const read = (name: string): unknown =>
      JSON.parse(readFileSync(new URL(`../../model/${name}`, import.meta.url), 'utf8'));
    expect(read('tokenizer.json')).toEqual(built.tokenizer);
    expect(read('tokenizer_config.json')).toEqual(built.config);
    expect(built.size).toBe(768);
  });

  it('has one token for each number, thing, person, day, role and special token', () => {
    const numbers = Array.from({ length: 100 }, (_, n) => [String(n), ` ${n}`]).flat();
    const words = [...itemNames, ...personNames, ...dayNames].map((word) => ` ${word}`);
    for (const text of [...numbers, ...words, 'user', 'assistant', 'system', ...specialTokens]) {
      expect(ids(text), text).toHaveLength(1);
    }
  });

  it('encodes the parts of a row as it encodes the whole, and decodes them back', () => {
    const rows = createPretrainingRows({ seed: 5 });
    for (let i = 0; i < 300; i++) {
      const { prompt, given, completion } = renderRow(rows.next().value);
      const whole = ids(prompt + given + completion);
      expect([...ids(prompt), ...(given === '' ? [] : ids(given)), ...ids(completion)]).toEqual(whole);
      expect(tokenizer.decode(whole, { skip_special_tokens: false })).toBe(prompt + given + completion);
    }
  });

  it('can write any text', () => {
    const text = 'Zürich 42 — “naïve” 東京\t🙂\n\n  x=1234567';
    expect(tokenizer.decode(ids(text))).toBe(text);
  });
});
