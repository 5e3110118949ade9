// What the person asked for.
import { parseArgs } from 'node:util';
import { MemGenError } from '@memgen/common';
import { backendNames, type BackendName } from '@memgen/core';
import type { Suite } from './frame/suite.js';
import { checkGroups } from './frame/suite.js';

export interface Command {
  suite: Suite;
  quick: boolean;
  model: string;
  backends: BackendName[];
  only: Set<string>;
  json?: string | undefined;
  markdown?: string | undefined;
  /** Shows the rows of this file instead of measuring. */
  show?: string | undefined;
}

export function usage(suites: readonly Suite[]): string {
  return `Usage: pnpm bench SUITE [options]

Suites:
${suites.map(({ name, description, groups }) => `  ${name.padEnd(9)} ${description}; rows: ${groups.join(', ')}`).join('\n')}

Options:
  --quick            fewer rows, one repetition
  --model M          folder, GGUF file or hub id; the tiny reasoner without it
  --backends A,B     ${backendNames.join(', ')}; tensorflow,wasm without it
  --only ROWS        some of the suite's rows
  --json FILE        writes the rows, after each one
  --markdown FILE    puts the table between <!-- NAME:begin --> and <!-- NAME:end --> of a document;
                     NAME is that of --json bench-NAME.json, else the suite's
  --show FILE        measures nothing, takes the rows of an earlier --json FILE

MEMGEN_PYTHON names a Python with torch and transformers (and peft for training): it is then measured in the same run.
`;
}

/** @throws MemGenError `bench-usage`, `bench-rows`. Undefined when help was asked for. */
export function parseCommand(words: readonly string[], suites: readonly Suite[]): Command | undefined {
  const { values, positionals } = parse(words);
  if (values.help) return undefined;
  const [name, ...others] = positionals;
  const suite = suites.find((one) => one.name === name);
  if (suite === undefined || others.length > 0) {
    throw new MemGenError({
      code: 'bench-usage',
      message: 'one suite of measurements has to be named',
      got: positionals.join(' ') || 'none',
      expected: suites.map((one) => one.name).join(', '),
    });
  }
  const { backends, only = suite.groups.join(','), ...rest } = values;
  const unknown = backends.split(',').find((backend) => !(backendNames as readonly string[]).includes(backend));
  if (unknown !== undefined) {
    throw new MemGenError({
      code: 'bench-usage',
      where: '--backends',
      message: 'unknown backend',
      got: unknown,
      expected: backendNames.join(', '),
    });
  }
  return { ...rest, suite, backends: backends.split(',') as BackendName[], only: checkGroups(suite, only.split(',')) };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        model: { type: 'string', default: 'tiny' },
        backends: { type: 'string', default: 'tensorflow,wasm' },
        only: { type: 'string' },
        json: { type: 'string' },
        markdown: { type: 'string' },
        show: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new MemGenError({ code: 'bench-usage', message, hint: 'see `pnpm bench --help`', cause });
  }
}
