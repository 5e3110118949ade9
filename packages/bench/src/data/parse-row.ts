// Checks one row of a data file against a schema; errors name the file, the line and the key.
import { MemGenError } from '@memgen/common';
import type { z } from 'zod';

/** @throws MemGenError `data-row`. */
export function parseRow<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = issue?.path.join('.') ?? '';
  throw new MemGenError({
    code: 'data-row',
    where,
    message: key === '' ? 'the row is not of the expected form' : `the row has no usable "${key}"`,
    got: preview(value),
    expected: issue?.message,
    hint: 'repair or remove the row',
  });
}

/** The start of a value, for an error message. */
export function preview(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
