// A value of a file in an error message: as JSON, and short.

const longest = 100;

export function describeJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}
