// What a suite of measurements is: processes to run, and how their figures become rows.
import { MemGenError } from '@memgen/common';
import type { BackendName } from '@memgen/core';
import type { Dtype, Figure, FigureSet } from './figure.js';
import type { Goal } from './row.js';

/** A process that prints {@link Message} lines. */
export interface Job {
  /** For progress. */
  label: string;
  program: string;
  words: readonly string[];
  /** Expected duration relative to the other jobs, for the time left. */
  weight: number;
}

export interface SuiteSettings {
  /** Fewer rows, one repetition. */
  quick: boolean;
  /** What the jobs load: a folder, a GGUF file or a hub id. */
  model: string;
  /** The GGUF file that {@link SuiteSettings.model} was converted from. */
  gguf?: string | undefined;
  backends: readonly BackendName[];
  /** Names of row groups. */
  only: ReadonlySet<string>;
  /** A Python with torch and transformers. */
  python?: string | undefined;
}

/** How a measured figure is shown. */
export interface RowKind {
  title: (sizes: Readonly<Record<string, number>>) => string;
  better: 'higher' | 'lower';
  /** For the model that the published figures are of; other models have no goals. */
  goal?: (figure: Figure) => Goal | undefined;
}

/** A figure of the official code that was measured once, for where it cannot be measured in the same run. */
export interface PublishedFigure {
  measure: string;
  sizes: Readonly<Record<string, number>>;
  /** In the unit of the row. */
  value: number;
}

export interface Suite {
  name: string;
  description: string;
  /** What `--only` can name, in the order of measuring. */
  groups: readonly string[];
  jobs: (settings: SuiteSettings) => Job[];
  /** By measure; a figure of another measure makes no row. */
  kinds: Readonly<Record<string, RowKind>>;
  /** Figures that follow from measured ones, e.g. how cost grows. */
  derive: (figures: FigureSet) => Figure[];
  /** Stands in for the reference if the model is the one that was measured. */
  published: readonly PublishedFigure[];
}

/** What a process is told. */
export interface JobSettings {
  backend: BackendName;
  dtype: Dtype;
  model: string;
  quick: boolean;
  only: readonly string[];
  /** For jobs that measure one size in a process of its own. */
  size?: number;
}

/** @throws MemGenError `bench-rows` naming a group that the suite does not have. */
export function checkGroups(suite: Pick<Suite, 'name' | 'groups'>, names: readonly string[]): Set<string> {
  const unknown = names.find((name) => !suite.groups.includes(name));
  if (unknown === undefined) return new Set(names);
  throw new MemGenError({
    code: 'bench-rows',
    where: '--only',
    message: `the suite ${suite.name} has no such rows`,
    got: unknown,
    expected: suite.groups.join(', '),
  });
}
