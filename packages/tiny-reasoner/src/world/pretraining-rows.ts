// The endless stream of pre-training rows: a mix of families, drawn from a seed.
import { Random } from '@memgen/common';
import { clockRow } from './clocks.js';
import { dayRow } from './days.js';
import { drillRow } from './drills.js';
import { isHeldOut } from './held-out.js';
import { listOperationRow } from './list-operations.js';
import { listRow, listSayRow, unlistedRow, type ListPlace } from './list-rows.js';
import { families, type Family, type WorldRow } from './row.js';
import { wordProblemRow } from './word-problems.js';

/** How often each family is drawn, and how long its price lists are. */
export interface Mix {
  /** Relative weights; a family that is missing is never drawn. */
  weights: Partial<Record<Family, number>>;
  /** Price lists have this many things, evenly. */
  listLength: { shortest: number; longest: number };
  /** Share of list rows whose prices are a note after the assistant's tag. */
  noteShare: number;
  /** Share of these notes that are bare: only the prices asked for, in order. Default 0.5. */
  bareNoteShare?: number;
}

/** What pre-training begins with: mostly look-ups in short lists, and arithmetic. */
export const firstMix: Mix = {
  weights: { list_say: 5, list_look: 1, drill: 2 },
  listLength: { shortest: 2, longest: 4 },
  noteShare: 0.3,
};

/** The mix for the rest of pre-training, and for evaluation. */
export const mainMix: Mix = {
  weights: {
    list_say: 1.5, list_look: 1, list_mul: 1.5, list_sum: 3, list_change: 1.5, list_cmp: 2, list_none: 1,
    word: 2.5, lst: 2.5, day: 1.5, clock: 2, drill: 4,
  }, // prettier-ignore
  listLength: { shortest: 2, longest: 5 },
  noteShare: 0.5,
};

function drawPlace(random: Random, { noteShare, bareNoteShare = 0.5 }: Mix): ListPlace {
  if (random.float() >= noteShare) return 'prompt';
  return bareNoteShare > 0 && random.float() < bareNoteShare ? 'bare-note' : 'note';
}

/** Draws one row of `family`, from training and held-out rows alike. */
export function drawRow(random: Random, family: Family, mix: Mix): WorldRow {
  const { listLength } = mix;
  const place = drawPlace(random, mix);
  const length = listLength.shortest + random.int(listLength.longest - listLength.shortest + 1);
  switch (family) {
    case 'list_say':
      return listSayRow(random, place, length);
    case 'list_none':
      return unlistedRow(random);
    case 'word':
      return wordProblemRow(random);
    case 'lst':
      return listOperationRow(random);
    case 'day':
      return dayRow(random);
    case 'clock':
      return clockRow(random);
    case 'drill':
      return drillRow(random);
    default:
      return listRow(random, family, place, length);
  }
}

function drawFamily(random: Random, weights: Mix['weights']): Family {
  const total = families.reduce((sum, family) => sum + (weights[family] ?? 0), 0);
  let rest = random.float() * total;
  for (const family of families) {
    rest -= weights[family] ?? 0;
    if (rest < 0) return family;
  }
  return families.findLast((family) => (weights[family] ?? 0) > 0)!;
}

/** An endless stream of training rows, none of them held out. `mix` may change from row to row (a curriculum). */
export function* createPretrainingRows(options: { seed: number; mix?: Mix | (() => Mix) }): Generator<WorldRow, never> {
  const { seed, mix = mainMix } = options;
  const random = Random.fromSeed(seed).fork('pretraining');
  for (;;) {
    const current = typeof mix === 'function' ? mix() : mix;
    const family = drawFamily(random, current.weights);
    let row = drawRow(random, family, current);
    while (isHeldOut(row)) row = drawRow(random, family, current);
    yield row;
  }
}
