import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from './__fixtures__/small-tokenizer.js';
import { IncrementalDecoder } from './incremental-decoder.js';
import type { Tokenizer } from './tokenizer.js';

/** Pushes ids one by one and checks everything the decoder says against decoding from the start. */
function check(tokenizer: Tokenizer, ids: readonly number[]): void {
  const decoder = new IncrementalDecoder(tokenizer);
  let final = '';
  ids.forEach((id, i) => {
    const text = tokenizer.decode(ids.slice(0, i + 1));
    const peeked = decoder.peek(id);
    expect(decoder.push(id)).toBe(text);
    expect(decoder.text).toBe(text);
    expect(decoder.ending).toBe(text.slice(-16));
    if (!tokenizer.cleansUpSpaces) expect(text.endsWith(peeked)).toBe(true);
    if (i % 3 !== 1) final += decoder.takeFinal();
    if (i % 3 !== 1) expect(final + decoder.tentative).toBe(text);
  });
  // What was handed out as final has stayed.
  expect(decoder.text.startsWith(final)).toBe(true);
}

describe('IncrementalDecoder', () => {
  it('starts empty', () => {
    const decoder = new IncrementalDecoder(smallTokenizer());
    expect([decoder.text, decoder.ending]).toEqual(['', '']);
  });

  it('shows an unfinished character as U+FFFD until it is complete', () => {
    const tokenizer = smallTokenizer();
    const decoder = new IncrementalDecoder(tokenizer);
    const texts = tokenizer.encode('a€').map((id) => decoder.push(id));
    expect(texts).toEqual(['a', 'a\ufffd', 'a\ufffd', 'a€']);
  });

  it('equals decoding from the start for any ids', () => {
    const tokenizer = smallTokenizer();
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.vocabularySize + 3), { maxLength: 40 }), (ids) => {
        check(tokenizer, ids);
      }),
    );
  });

  it('equals decoding from the start when spaces are cleaned up', () => {
    const tokenizer = smallTokenizer({ config: { clean_up_tokenization_spaces: true } });
    const unit = fc.constantFrom(...Array.from(" .?!,'ntmsver€a\n"));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (text) => {
        check(tokenizer, tokenizer.encode(text));
      }),
    );
  });

  it('works where tokens are not bytes', () => {
    const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' };
    const model = { type: 'BPE', vocab: { '▁': 0, a: 1, b: 2, '</s>': 3 }, merges: [] };
    const tokenizer = smallTokenizer({
      json: { pre_tokenizer: metaspace, decoder: metaspace, model, added_tokens: [] },
      config: { eos_token: '</s>', pad_token: null },
    });
    check(tokenizer, tokenizer.encode('ab a  b'));
  });

  it('holds back an unfinished character, also of tokens that stand for bytes one by one', () => {
    const byteFallback = { type: 'ByteFallback' };
    const model = { type: 'BPE', byte_fallback: true, vocab: { a: 0, '<0xE2>': 1, '<0x82>': 2, '<0xAC>': 3, '</s>': 4 }, merges: [] }; // prettier-ignore
    const fallback = smallTokenizer({
      json: { pre_tokenizer: null, decoder: { type: 'Sequence', decoders: [byteFallback, { type: 'Fuse' }] }, model, added_tokens: [] },
      config: { eos_token: '</s>', pad_token: null },
    }); // prettier-ignore
    for (const [tokenizer, ids] of [
      [fallback, [0, 1, 2, 3, 0]],
      [smallTokenizer(), smallTokenizer().encode('a€a')],
    ] as const) {
      const decoder = new IncrementalDecoder(tokenizer);
      const finals = ids.map((id) => {
        decoder.push(id);
        return decoder.takeFinal();
      });
      expect(finals).toEqual(['a', '', '', '€', 'a']);
      check(tokenizer, ids);
    }
  });

  it('takes constant time per token', () => {
    const tokenizer = smallTokenizer();
    const ids = tokenizer.encode('hello, 1 € '.repeat(20_000));
    const decoder = new IncrementalDecoder(tokenizer);
    const start = performance.now();
    let commas = 0;
    for (const id of ids) {
      decoder.push(id);
      if (decoder.ending.endsWith(',')) commas++;
    }
    expect(commas).toBe(20_000);
    // 220 000 tokens in about a second; copying the text at each of them took 23 s.
    expect(performance.now() - start).toBeLessThan(8_000);
  });
});
