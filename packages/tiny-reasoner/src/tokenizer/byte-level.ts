// The byte-level alphabet: every byte as one printable character, as GPT-2's vocabulary files write it.

/** Characters for the 256 bytes: printable Latin-1 stands for itself, the rest moves to U+0100 and up. */
function createByteCharacters(): string[] {
  const characters: string[] = [];
  let moved = 0;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    characters.push(String.fromCharCode(printable ? byte : 0x100 + moved++));
  }
  return characters;
}

/** `byteCharacters[byte]` is the character that stands for it. */
export const byteCharacters: readonly string[] = createByteCharacters();

/** A text as its UTF-8 bytes, one character each. */
export function toByteCharacters(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => byteCharacters[byte]!).join('');
}
