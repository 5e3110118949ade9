// CRC-32C (Castagnoli), the checksum of TensorFlow's record files.

const reversedPolynomial = 0x82f63b78;
const maskDelta = 0xa282ead8;

let table: Uint32Array | undefined;

function crcTable(): Uint32Array {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ reversedPolynomial : crc >>> 1;
    return crc >>> 0;
  });
  return table;
}

/** Unsigned 32-bit CRC-32C of `bytes` (RFC 3720, appendix B.4 has test vectors). */
export function crc32c(bytes: Uint8Array): number {
  const lookup = crcTable();
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ lookup[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * CRC-32C as record files store it: rotated right by 15 bits plus a constant, because the checksum of data that holds
 * its own checksum would otherwise be weak.
 */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + maskDelta) >>> 0;
}
