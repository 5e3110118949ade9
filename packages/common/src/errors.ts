// The error base of all memgen packages: what was got, what was expected, what to do.

/** Everything an error of this project can tell a person. */
export interface MemGenErrorDetails {
  /** Stable machine-readable code, e.g. `"safetensors-header"`. */
  code: string;
  /** One sentence: what went wrong. */
  message: string;
  /** Where: a file, a line, a configuration key, a tensor name. */
  where?: string;
  got?: string;
  expected?: string;
  /** What the reader can do about it. */
  hint?: string;
  cause?: unknown;
}

const marker = Symbol.for('memgen.error');

/**
 * Base of every error that is meant for a person. Its message is complete in itself; programs show it without a stack
 * trace. `MemGenError.isInstance` also recognises errors of another copy of this package.
 */
export class MemGenError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly got: string | undefined;
  readonly expected: string | undefined;
  readonly hint: string | undefined;
  readonly [marker] = true;

  constructor(details: MemGenErrorDetails) {
    super(formatMessage(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'MemGenError';
    this.code = details.code;
    this.where = details.where;
    this.got = details.got;
    this.expected = details.expected;
    this.hint = details.hint;
  }

  static isInstance(error: unknown): error is MemGenError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}

function formatMessage({ message, where, got, expected, hint }: MemGenErrorDetails): string {
  const lines = [where === undefined ? message : `${where}: ${message}`];
  if (got !== undefined) lines.push(`  got:      ${got}`);
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (hint !== undefined) lines.push(`  to do:    ${hint}`);
  return lines.join('\n');
}
