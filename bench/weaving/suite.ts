// `pnpm bench weaving`: generation with latents woven in, and training steps of the weaver.
import type { Figure, FigureSet } from '../frame/figure.js';
import type { Job, RowKind, Suite, SuiteSettings } from '../frame/suite.js';
import { bandwidthJob, limitKinds, productsJob } from '../limits/rows.js';
import { nodeJob } from '../node-job.js';
import { relativeCost, variantsOf } from '../variants.js';
import { pointsWork, stepWorks } from './works.js';

const groups = ['generate', 'points', 'training'];

function jobs(settings: SuiteSettings): Job[] {
  const { quick, model, backends, only } = settings;
  const times = quick ? 1 : 3;
  const perVariant = variantsOf(backends, only).flatMap(({ only: rows, ...variant }) => {
    const { backend, dtype } = variant;
    const name = `${backend} ${dtype}`;
    const weight = relativeCost(backend);
    const facts = { ...variant, quick, model, only: rows };
    // Products in bfloat16 belong to the loaded decoder: no public operation makes them.
    const list = dtype === 'float32' ? [productsJob(variant, settings)] : [];
    if (rows.includes('generate')) {
      const label = `${name}: generation with latents`;
      list.push(nodeJob({ label, job: 'woven-generation', settings: facts, weight: 40 * times }));
    }
    if (rows.includes('points')) {
      const label = `${name}: more and more points`;
      list.push(nodeJob({ label, job: 'woven-points', settings: facts, weight: 35 * times }));
    }
    if (rows.includes('training')) {
      stepWorks.forEach((work, size) => {
        // Where a step takes minutes, or only the precision differs, one of its size says what another would.
        if (work.tokens > 256 && (quick || weight > 1 || dtype !== 'float32')) return;
        const label = `${name}: ${stepTitle(work)}`;
        const cost = (15 * weight * (1 + times) * work.batch * work.tokens) / 1024;
        list.push(nodeJob({ label, job: 'woven-training', settings: { ...facts, size }, weight: cost }));
      });
    }
    return list;
  });
  return [bandwidthJob(settings), ...perVariant];
}

type Sizes = Readonly<Partial<Record<string, number>>>;

const stepTitle = ({ batch, tokens, recomputing }: Sizes): string =>
  `weaver training step ${batch} x ${tokens}, 1 + 5 points, ${recomputing === 1 ? 'recomputing' : 'keeping'} activations`;

const generation = ({ batch }: Sizes): string => `generate 128 after 128, batch ${batch}`;

/** The official figures are of this step. */
const isOfficial = ({ sizes: { batch, tokens } }: Figure): boolean => batch === 4 && tokens === 256;

const kinds: Record<string, RowKind> = {
  ...limitKinds,
  'bare-generate': { title: (sizes) => `${generation(sizes)}, without latents`, better: 'higher' },
  'woven-generate': {
    title: (sizes) => `${generation(sizes)}, latents at 1 + 5 points`,
    better: 'higher',
    goal: ({ sizes: { batch } }) => (batch === 16 ? undefined : { timesReference: batch === 1 ? 3 : 6 }),
  },
  'triggered-generate': {
    title: (sizes) => `${generation(sizes)}, a trigger asked at 1 + 5 points`,
    better: 'higher',
    goal: ({ sizes: { batch } }) => (batch === 16 ? undefined : { timesReference: batch === 1 ? 5 : 12 }),
  },
  'woven-price': {
    title: ({ batch }) => `time with latents, as multiple of that without, batch ${batch}`,
    better: 'lower',
    goal: () => ({ value: 1.3 }),
  },
  'triggered-price': {
    title: ({ batch }) => `time with latents and trigger, as multiple of that without, batch ${batch}`,
    better: 'lower',
  },
  'staggered-reasoner': {
    title: ({ batch }) =>
      `reasoner's time when ${batch} rows are woven at different steps, as multiple of that without latents`,
    better: 'lower',
    goal: () => ({ value: 1.25 }),
  },
  'woven-parts-multiple': {
    title: () => 'weights of reasoner, weaver and trigger together, as multiple of the reasoner',
    better: 'lower',
    goal: () => ({ value: 1.1 }),
  },
  'woven-generate-memory': { title: () => 'peak memory of generation with latents', better: 'lower' },
  'woven-points': {
    title: ({ points }) =>
      `generate ${pointsWork.newTokens} after ${pointsWork.prompt}, latents at 1 + ${points} points`,
    better: 'lower',
  },
  'point-growth': {
    title: () => 'cost of a point from 20 to 50, as multiple of that from 0 to 20',
    better: 'lower',
    goal: () => ({ value: 1.3 }),
  },
  'woven-training': {
    title: stepTitle,
    better: 'lower',
    goal: (figure) => {
      if (!isOfficial(figure)) return undefined;
      if (figure.backend.startsWith('tensorflow')) return { timesReference: 3.5 };
      return figure.backend === 'wasm' ? { timesReference: 1 / 1.5 } : undefined;
    },
  },
  'woven-training-memory': {
    title: (sizes) => `peak memory of the ${stepTitle(sizes)}`,
    better: 'lower',
    goal: (figure) => (isOfficial(figure) && figure.backend.startsWith('tensorflow') ? { value: 4 } : undefined),
  },
};

/** What latents cost, and how that grows with their number. */
function derive(figures: FigureSet): Figure[] {
  const all = figures.all();
  const prices = all.flatMap((figure): Figure[] => {
    const price = { 'woven-generate': 'woven-price', 'triggered-generate': 'triggered-price' }[figure.measure];
    const bare = figures.find({ ...figure, measure: 'bare-generate' });
    if (price === undefined || bare === undefined) return [];
    const { backend, dtype, sizes } = figure;
    // Taken by turns, so that what the machine does meanwhile meets both of a pair.
    const samples = figure.samples.map((rate, i) => bare.samples[i]! / rate);
    return [{ measure: price, sizes, backend, dtype, unit: 'x', samples }];
  });
  const growth = all.flatMap((figure): Figure[] => {
    if (figure.measure !== 'woven-points' || figure.sizes['points'] !== 0) return [];
    const [none, some, many] = [0, 20, 50].map((points) => figures.find({ ...figure, sizes: { points } }));
    if (none === undefined || some === undefined || many === undefined) return [];
    const [start, middle, end] = [none, some, many].map(({ samples }) => Math.min(...samples)) as [
      number,
      number,
      number,
    ];
    const { backend, dtype } = figure;
    const samples = [(end - middle) / 30 / ((middle - start) / 20)];
    return [{ measure: 'point-growth', sizes: {}, backend, dtype, unit: 'x', samples }];
  });
  return [...prices, ...growth];
}

/** Of the official code, on two shared threads whose torch product of 512x2048x2048 reached 110 GFLOP/s. */
const published = [
  { measure: 'woven-generate', sizes: { batch: 1 }, value: 9.0 },
  { measure: 'woven-generate', sizes: { batch: 4 }, value: 13.7 },
  { measure: 'triggered-generate', sizes: { batch: 1 }, value: 5.0 },
  { measure: 'triggered-generate', sizes: { batch: 4 }, value: 5.1 },
  ...[0, 1].flatMap((recomputing) => [
    { measure: 'woven-training', sizes: { batch: 4, tokens: 256, recomputing }, value: 33.6 },
    { measure: 'woven-training-memory', sizes: { batch: 4, tokens: 256, recomputing }, value: 10.4 },
  ]),
];

export const weavingSuite: Suite = {
  name: 'weaving',
  description: 'generation with latents and training of the weaver',
  groups,
  jobs,
  kinds,
  derive,
  published,
};
