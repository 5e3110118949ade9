// What a measuring process says to the one that started it: one JSON object per line of its standard output.
import { z } from 'zod';
import { figureSchema } from './figure.js';

export const messageSchema = z.union([
  z.strictObject({ figure: figureSchema }),
  /** One measurement did not work; the process goes on with the next. */
  z.strictObject({ failure: z.strictObject({ name: z.string(), problem: z.string() }) }),
]);
export type Message = z.infer<typeof messageSchema>;

/** Undefined for lines of other origin: native libraries write to standard output too. */
export function readMessage(line: string): Message | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return messageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
