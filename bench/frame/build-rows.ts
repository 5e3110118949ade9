// Figures become rows: each beside the limits and the reference of the same run.
import { FigureSet, median, type Figure } from './figure.js';
import { makeRow, type Row } from './row.js';
import type { Suite } from './suite.js';

export interface BuildRowsOptions {
  /** Whether the model is the one of the published figures, for which the goals are set. */
  published: boolean;
}

/** Measures whose name begins so are ways to move memory, in GB/s; the best of them is the limit. */
const bandwidthPrefix = 'bandwidth';
/** A large product, in GFLOP/s. */
export const productMeasure = 'matmul';
export const referenceBackend = 'transformers';

/** Rows of all figures that the suite knows, backend by backend, the reference's own figures aside. */
export function buildRows(
  suite: Pick<Suite, 'kinds' | 'derive' | 'published'>,
  measured: FigureSet,
  { published }: BuildRowsOptions,
): Row[] {
  const figures = new FigureSet();
  for (const figure of [...measured.all(), ...suite.derive(measured)]) figures.add(figure);
  const owners = new Map<string, Figure[]>();
  for (const figure of figures.all()) {
    const owner = `${figure.backend} ${figure.dtype}`;
    owners.set(owner, [...(owners.get(owner) ?? []), figure]);
  }
  return [...owners.values()].flat().flatMap((figure) => {
    const kind = suite.kinds[figure.measure];
    if (kind === undefined || figure.backend === referenceBackend) return [];
    const reference = referenceOf(figure, figures, published ? suite.published : []);
    const { unit, backend, dtype, samples } = figure;
    const owner = backend === 'machine' ? 'machine' : `${backend}, ${dtype}`;
    return [
      makeRow({
        name: `${kind.title(figure.sizes)} (${owner})`,
        unit,
        backend,
        dtype,
        value: median(samples),
        better: kind.better,
        spread: { minimum: Math.min(...samples), maximum: Math.max(...samples), repetitions: samples.length },
        limit: figure.limit ?? limitOf(figure, figures, kind.better),
        reference: reference?.value,
        goal: published ? kind.goal?.(figure) : undefined,
        notes: [figure.note, reference?.note].filter((note) => note !== undefined),
      }),
    ];
  });
}

/**
 * Bytes per second of the best way to move memory, at its best moment in the run: other programs make figures worse, never
 * better. Undefined if none was measured.
 */
export function bestBandwidth(figures: FigureSet): number | undefined {
  const ways = figures.all().filter(({ measure }) => measure.startsWith(bandwidthPrefix));
  return ways.length === 0 ? undefined : 1e9 * Math.max(...ways.flatMap(({ samples }) => samples));
}

/** The slower of moving the bytes and doing the operations bounds the whole. */
function limitOf(figure: Figure, figures: FigureSet, better: 'higher' | 'lower'): number | undefined {
  const { least, backend, dtype } = figure;
  if (least === undefined) return undefined;
  const bandwidth = bestBandwidth(figures);
  const product = figures.find({ measure: productMeasure, backend, dtype, sizes: {} });
  // The bytes alone would be a limit that nothing could come near.
  if (least.operations > 0 && product === undefined) return undefined;
  const times = [
    ...(least.bytes > 0 && bandwidth !== undefined ? [least.bytes / bandwidth] : []),
    ...(least.operations > 0 && product !== undefined ? [least.operations / (1e9 * Math.max(...product.samples))] : []),
  ];
  if (times.length === 0) return undefined;
  const seconds = Math.max(...times);
  return better === 'higher' ? least.amount / seconds : seconds;
}

function referenceOf(
  { measure, sizes }: Figure,
  figures: FigureSet,
  published: Suite['published'],
): { value: number; note?: string } | undefined {
  const measured = figures.find({ measure, sizes, backend: referenceBackend, dtype: 'float32' });
  if (measured !== undefined) return { value: median(measured.samples) };
  const known = published.find((entry) => entry.measure === measure && sameSizes(entry.sizes, sizes));
  return known && { value: known.value, note: 'reference: published constant, not of this run' };
}

function sameSizes(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, size]) => b[key] === size);
}
