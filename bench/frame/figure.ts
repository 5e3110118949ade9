// A measured figure as the measuring processes print it, and the figures of a whole run.
import { z } from 'zod';

export const dtypeSchema = z.enum(['float32', 'bfloat16']);
export type Dtype = z.infer<typeof dtypeSchema>;

export const figureSchema = z.strictObject({
  /** What was measured, e.g. `decode`; with {@link Figure.sizes} it says which work was done. */
  measure: z.string().min(1),
  sizes: z.record(z.string(), z.number()).default({}),
  unit: z.string().min(1),
  /** A backend's name; `machine` for what belongs to none; `transformers` for the reference. */
  backend: z.string().min(1),
  dtype: dtypeSchema.default('float32'),
  /** One per repetition, in the unit. */
  samples: z.array(z.number()).min(1),
  /**
   * Work that no implementation gets around: bytes to move through memory and floating-point operations for each `amount`
   * of the unit's numerator (tokens); for a time, for one repetition.
   */
  least: z
    .strictObject({ bytes: z.number().default(0), operations: z.number().default(0), amount: z.number().default(1) })
    .optional(),
  /** The best value there can be, in the unit, where {@link Figure.least} does not give it. */
  limit: z.number().optional(),
  note: z.string().optional(),
});
export type Figure = z.infer<typeof figureSchema>;
/** With defaults left out. */
export type FigureInput = z.input<typeof figureSchema>;

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export type FigureKey = Pick<Figure, 'measure' | 'backend' | 'dtype' | 'sizes'>;

/** The figures of a run in the order of their first sample; processes that measure the same add to one figure. */
export class FigureSet {
  private readonly figures = new Map<string, Figure>();

  add(figure: Figure): void {
    const key = keyOf(figure);
    const known = this.figures.get(key);
    this.figures.set(key, known === undefined ? figure : { ...known, samples: [...known.samples, ...figure.samples] });
  }

  find(key: FigureKey): Figure | undefined {
    return this.figures.get(keyOf(key));
  }

  all(): Figure[] {
    return [...this.figures.values()];
  }
}

function keyOf({ measure, backend, dtype, sizes }: FigureKey): string {
  const ordered = Object.entries(sizes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([measure, backend, dtype, ordered]);
}
