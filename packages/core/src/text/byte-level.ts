// The byte alphabet of GPT-2: byte-level tokenizers write every byte as one printable character.

const replacement = buildAlphabet();
const byteOfCharacter = new Map(replacement.map((character, byte) => [character, byte]));

/** Printable Latin-1 bytes stand for themselves; the others are shifted to U+0100 and up, in order. */
function buildAlphabet(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let shifted = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : shifted++));
}

/**
 * Bytes of one token of a byte-level vocabulary. A token with a character outside the alphabet (an added token such as
 * `<｜end▁of▁sentence｜>`) stands for its own UTF-8 bytes.
 */
export function bytesOfToken(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = byteOfCharacter.get(character);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** UTF-8 to text; what is not valid UTF-8 becomes U+FFFD, a byte order mark stays. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/**
 * How many bytes at the end are the beginning of a character whose rest may still come: 0 to 3.
 * Everything before them decodes to the same text whatever follows.
 */
export function incompleteSuffixLength(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const lead = bytes[bytes.length - length]!;
    if ((lead & 0xc0) === 0x80) continue;
    if (length >= sequenceLength(lead)) return 0;
    return length === 1 || isPossibleSecondByte(lead, bytes[bytes.length - length + 1]!) ? length : 0;
  }
  return 0;
}

/** Bytes of a character that starts with `lead`; 1 also for bytes that start none. */
function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

/** Overlong forms, surrogates and numbers above U+10FFFF are refused at their second byte. */
function isPossibleSecondByte(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second <= 0x9f;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second <= 0x8f;
  return true;
}
