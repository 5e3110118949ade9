// Numbers as people read them.

/** Decimal megabytes, e.g. `"259 MB"`, from 10 GB on `"12 GB"`. */
export function megabytes(bytes: number): string {
  return bytes >= 1e10 ? `${Math.round(bytes / 1e9)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/** Decimal gigabytes with one digit, e.g. `"23.6 GB"`. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
