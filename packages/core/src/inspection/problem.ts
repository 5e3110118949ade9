// What stands in the way of using something: errors collected instead of thrown, so that all else can still be told.
import { MemGenError } from '@memgen/common';

export interface Problem {
  part: 'configuration' | 'tokenizer' | 'weights' | 'adapter' | 'checkpoint';
  /** Of the error that using it would give. */
  code: string;
  /** Complete: what, where, got, expected, what to do. */
  message: string;
}

/** Runs `action`; an error made for people becomes a problem, and the result is then undefined. */
export async function attempt<T>(
  problems: Problem[],
  part: Problem['part'],
  action: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!MemGenError.isInstance(error)) throw error;
    problems.push(toProblem(part, error));
    return undefined;
  }
}

export function toProblem(part: Problem['part'], { code, message }: MemGenError): Problem {
  return { part, code, message };
}
