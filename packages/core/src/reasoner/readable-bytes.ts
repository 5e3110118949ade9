// A number of bytes as people read it.

const units = [
  { name: 'GB', size: 1e9 },
  { name: 'MB', size: 1e6 },
  { name: 'kB', size: 1e3 },
] as const;

/** Decimal units with one digit from kilobytes on: `"512 bytes"`, `"27.9 kB"`, `"2.1 GB"`. */
export function readableBytes(bytes: number): string {
  // Whether the next smaller unit would show 1000.0: 999 960 bytes are "1.0 MB".
  const unit = units.find(({ size }) => Math.round(bytes / (size / 1e4)) >= 1e4);
  return unit === undefined ? `${bytes} bytes` : `${(bytes / unit.size).toFixed(1)} ${unit.name}`;
}
