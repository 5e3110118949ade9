// TensorFlow's record framing: length, checksum of the length, data, checksum of the data.
import { maskedCrc32c } from './crc32c.js';

/** One framed record: u64 length, u32 masked CRC of it, `data`, u32 masked CRC of the data; all little-endian. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(12 + data.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}
