// Damages bytes in the ways that files get damaged or are made to harm: bits, lengths, cuts, copies.
import type { Random } from '@memgen/common';

/** Numbers at which lengths, counts and offsets go wrong. */
export const hostileNumbers: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  255n,
  65_535n,
  2n ** 24n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 40n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** One to four changes. @param head - bytes at the start that half of the changes go to: a header. */
export function mutateBytes(random: Random, original: Uint8Array, head = 256): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let changes = 1 + random.int(4); changes > 0; changes--) bytes = mutateOnce(random, bytes, head);
  return bytes;
}

function mutateOnce(random: Random, bytes: Buffer, head: number): Buffer {
  if (bytes.length === 0) return Buffer.from([random.int(256)]);
  const at = random.int(random.float() < 0.5 ? Math.min(head, bytes.length) : bytes.length);
  const length = Math.min(1 + random.int(64), bytes.length - at);
  switch (random.int(8)) {
    case 0:
      bytes[at]! ^= 1 << random.int(8);
      return bytes;
    case 1:
      bytes[at] = random.int(256);
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([bytes, Buffer.alloc(length, random.int(256))]);
    case 6:
      if (at + 4 <= bytes.length) bytes.writeUInt32LE(Number(BigInt.asUintN(32, random.pick(hostileNumbers))), at);
      return bytes;
    default:
      if (at + 8 <= bytes.length) bytes.writeBigUInt64LE(BigInt.asUintN(64, random.pick(hostileNumbers)), at);
      return bytes;
  }
}
