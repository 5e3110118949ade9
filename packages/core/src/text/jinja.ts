// Runs a Jinja template in a closed environment: no clock but a given one, no endless work.
import { Environment, parse, tokenize } from '@huggingface/jinja';
import { BoundedInterpreter } from './bounded-interpreter.js';
import { strftime } from './strftime.js';
import { withTimeLimit } from './time-limit.js';

/** A template that counts further than this is broken or hostile. */
const maximumRange = 100_000;

/** Ordinary templates take some milliseconds. */
const longestMilliseconds = 5000;

export type JinjaProgram = ReturnType<typeof parse>;

/** With the white-space settings of transformers. Throws an ordinary error for bad syntax. */
export function compileJinja(source: string): JinjaProgram {
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
}

/**
 * @param variables - what the template sees, besides the usual globals.
 * @param now - without it, `strftime_now` is not defined.
 */
export function runJinja(
  program: JinjaProgram,
  variables: Readonly<Record<string, unknown>>,
  now?: () => Date,
): string {
  const environment = new Environment();
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range,
    raise_exception: (message: string) => {
      throw new Error(message);
    },
    ...(now && { strftime_now: (format: string) => strftime(now(), format) }),
  };
  for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
  const { value } = withTimeLimit(longestMilliseconds, () => new BoundedInterpreter(environment).run(program));
  return typeof value === 'string' ? value : '';
}

/** Python's range, with an end to it. */
function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= maximumRange)) throw new Error(`range() of ${length} steps, at most ${maximumRange}`);
  return Array.from({ length }, (_, i) => from + i * step);
}
