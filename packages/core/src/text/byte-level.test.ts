import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfToken, decodeUtf8, incompleteSuffixLength } from './byte-level.js';

describe('bytesOfToken', () => {
  it('maps the alphabet back to bytes', () => {
    expect([...bytesOfToken('Ġhi')]).toEqual([0x20, 0x68, 0x69]);
    expect([...bytesOfToken('ĊĉÃ©')]).toEqual([0x0a, 0x09, 0xc3, 0xa9]);
  });

  it('covers every byte once', () => {
    // The alphabet in order of code points: 188 printable characters and 68 shifted ones.
    const characters = Array.from({ length: 0x144 }, (_, code) => String.fromCharCode(code));
    const single = characters.filter((c) => bytesOfToken(c).length === 1 && decodeUtf8(bytesOfToken(c)) !== c);
    const self = characters.filter((c) => bytesOfToken(c).length === 1 && bytesOfToken(c)[0] === c.charCodeAt(0));
    expect(new Set([...single, ...self].map((c) => bytesOfToken(c)[0])).size).toBe(256);
  });

  it('takes a token outside the alphabet literally', () => {
    expect(decodeUtf8(bytesOfToken('<｜end▁of▁sentence｜>'))).toBe('<｜end▁of▁sentence｜>');
    expect(decodeUtf8(bytesOfToken('a b'))).toBe('a b');
  });
});

describe('incompleteSuffixLength', () => {
  it('finds the start of an unfinished character', () => {
    const euro = [0xe2, 0x82, 0xac];
    expect(incompleteSuffixLength(Uint8Array.from([0x61, ...euro.slice(0, 1)]))).toBe(1);
    expect(incompleteSuffixLength(Uint8Array.from([0x61, ...euro.slice(0, 2)]))).toBe(2);
    expect(incompleteSuffixLength(Uint8Array.from(euro))).toBe(0);
    expect(incompleteSuffixLength(Uint8Array.from([0xf0, 0x9f, 0x98]))).toBe(3);
    expect(incompleteSuffixLength(Uint8Array.from([0xed, 0xa0]))).toBe(0);
    expect(incompleteSuffixLength(Uint8Array.from([0xc0]))).toBe(0);
    expect(incompleteSuffixLength(new Uint8Array())).toBe(0);
  });

  it('cuts arbitrary bytes where decoding the two parts is decoding the whole', () => {
    const byte = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xe0, 0xf4, 0x20),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 8 }), fc.array(byte, { maxLength: 4 }), (before, after) => {
        const bytes = Uint8Array.from(before);
        const cut = bytes.length - incompleteSuffixLength(bytes);
        const whole = decodeUtf8(Uint8Array.from([...before, ...after]));
        const parts =
          decodeUtf8(bytes.subarray(0, cut)) + decodeUtf8(Uint8Array.from([...bytes.subarray(cut), ...after]));
        expect(parts).toBe(whole);
      }),
      { numRuns: 3000 },
    );
  });
});
