// Numbers and tokens as a trace page writes them.

/** A short number of milliseconds or seconds. */
export function formatTime(milliseconds: number): string {
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds >= 10 ? milliseconds.toFixed(0) : milliseconds.toFixed(1)} ms`;
}

export function formatPercent(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %';
  if (share < 1 && share > 0.99) return '> 99 %';
  return `${Math.round(share * 100)} %`;
}

/** A vector's length. */
export function formatNorm(norm: number): string {
  return norm >= 100 ? norm.toFixed(0) : norm.toPrecision(3);
}

/** A token so that its white space is seen. */
export function visibleToken(text: string): string {
  return text.replaceAll(' ', '\u00b7').replaceAll('\n', '\u21b5').replaceAll('\t', '\u21e5') || '\u2205';
}

/** `1 point`, `2 points`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
