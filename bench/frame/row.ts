// A row of the results: a value beside its limit, the reference and the goal.
import { z } from 'zod';
import { dtypeSchema } from './figure.js';

/** What `--json` writes is an array of these. */
export const rowSchema = z.strictObject({
  name: z.string().min(1),
  unit: z.string().min(1),
  /** Median over the repetitions. */
  value: z.number(),
  /** The best that the memory bandwidth and arithmetic measured in the same run allow, in the unit. */
  limit: z.number().optional(),
  /** The reference implementation's value, in the unit. */
  reference: z.number().optional(),
  /** How many times better than the reference: above 1 is better, whatever the unit. */
  ratio: z.number().optional(),
  /** What the value has to reach, in the unit; the note says where it comes from. */
  goal: z.number().optional(),
  met: z.boolean().optional(),
  better: z.enum(['higher', 'lower']),
  backend: z.string(),
  dtype: dtypeSchema,
  spread: z.strictObject({ minimum: z.number(), maximum: z.number(), repetitions: z.number().int().positive() }),
  note: z.string().optional(),
});
export type Row = z.infer<typeof rowSchema>;
export const rowsSchema = z.array(rowSchema);

/** Everything given has to hold. A part that needs what was not measured is left out. */
export interface Goal {
  /** In the row's unit. */
  value?: number;
  /** Times better than the reference. */
  timesReference?: number;
  /** Share of the limit, 0 to 1. */
  ofLimit?: number;
}

export interface RowDraft extends Pick<Row, 'name' | 'unit' | 'value' | 'better' | 'backend' | 'dtype' | 'spread'> {
  limit?: number | undefined;
  reference?: number | undefined;
  goal?: Goal | undefined;
  /** Further facts. */
  notes?: readonly string[];
}

/** Fills in ratio, goal and whether it is met. */
export function makeRow({ goal = {}, notes = [], limit, reference, ...facts }: RowDraft): Row {
  const { value, better } = facts;
  const target = goalValue(goal, { better, limit, reference });
  const allNotes = [...notes, ...goalNotes(goal, { limit, reference })];
  return {
    ...facts,
    ...(limit !== undefined && { limit }),
    ...(reference !== undefined && { reference, ratio: better === 'higher' ? value / reference : reference / value }),
    ...(target !== undefined && { goal: target, met: better === 'higher' ? value >= target : value <= target }),
    ...(allNotes.length > 0 && { note: allNotes.join('; ') }),
  };
}

/** Share of the limit that is reached: 1 is the limit itself. */
export function shareOfLimit({ value, limit, better }: Pick<Row, 'value' | 'limit' | 'better'>): number | undefined {
  if (limit === undefined) return undefined;
  return better === 'higher' ? value / limit : limit / value;
}

type Standards = Pick<RowDraft, 'limit' | 'reference'>;

function goalValue(goal: Goal, { better, limit, reference }: Standards & Pick<Row, 'better'>): number | undefined {
  const scaled = (standard: number | undefined, times: number | undefined) =>
    standard === undefined || times === undefined ? [] : [better === 'higher' ? standard * times : standard / times];
  const targets = [
    ...(goal.value === undefined ? [] : [goal.value]),
    ...scaled(reference, goal.timesReference),
    ...scaled(limit, goal.ofLimit),
  ];
  if (targets.length === 0) return undefined;
  return better === 'higher' ? Math.max(...targets) : Math.min(...targets);
}

function goalNotes({ timesReference, ofLimit }: Goal, { limit, reference }: Standards): string[] {
  const parts = [
    ...(timesReference !== undefined && reference !== undefined ? [`${timesReference} x reference`] : []),
    ...(ofLimit !== undefined && limit !== undefined ? [`${Math.round(100 * ofLimit)} % of the limit`] : []),
  ];
  return parts.length === 0 ? [] : [`goal: ${parts.join(' and ')}`];
}
