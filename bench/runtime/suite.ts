// `pnpm bench runtime`: loading, prompts, new tokens, adapters, on every backend beside limits and reference.
import { median, type Figure, type FigureSet } from '../frame/figure.js';
import type { Job, RowKind, Suite, SuiteSettings } from '../frame/suite.js';
import { bandwidthJob, limitKinds, productsJob } from '../limits/rows.js';
import { nodeJob } from '../node-job.js';
import { sentence } from '../prompt.js';
import { pythonJob } from '../reference/python-job.js';
import { relativeCost, variantsOf } from '../variants.js';
import { casesOf } from './cases.js';

const groups = ['load', 'prefill', 'decode', 'cache', 'training'] as const;

function jobs(settings: SuiteSettings): Job[] {
  const { quick, model, gguf, backends, only, python } = settings;
  const cases = casesOf(quick);
  const list = [bandwidthJob(settings)];
  if (python !== undefined) {
    const { prefill, decoding, training, repetitions } = cases;
    list.push(
      pythonJob(python, quick ? 60 : 300, {
        ...{ model, repetitions, prefill, decoding, training },
        only: [...only],
        text: sentence,
      }),
    );
  }
  for (const { only: rows, ...variant } of variantsOf(backends, only)) {
    const { backend, dtype } = variant;
    const has = (...names: (typeof groups)[number][]) => names.some((name) => rows.includes(name));
    const name = `${backend} ${dtype}`;
    const weight = relativeCost(backend);
    const facts = { ...variant, quick, model, only: rows };
    // Products in bfloat16 belong to the loaded decoder: no public operation makes them.
    if (has('prefill', 'training') && dtype === 'float32') list.push(productsJob(variant, settings));
    if (has('load')) {
      // A process for each sample.
      for (let i = 0; i < cases.repetitions; i++) {
        list.push(nodeJob({ label: `${name}: loading`, job: 'loading', settings: facts, weight: 5 }));
      }
      if (gguf !== undefined && dtype === 'float32') {
        const label = `${name}: loading the GGUF file`;
        list.push(nodeJob({ label, job: 'loading', settings: { ...facts, model: gguf }, weight: 5 }));
      }
    }
    if (has('prefill', 'decode', 'cache')) {
      const label = `${name}: ${['prefill', 'decode', 'cache'].filter((group) => rows.includes(group)).join(', ')}`;
      list.push(nodeJob({ label, job: 'inference', settings: facts, weight: (quick ? 30 : 150) * weight }));
    }
    if (has('training')) {
      for (const size of cases.training) {
        const label = `${name}: training step, ${size} tokens`;
        const cost = ((10 + size / 10) * weight * (1 + cases.repetitions)) / 4;
        list.push(nodeJob({ label, job: 'training', settings: { ...facts, size }, weight: cost }));
      }
    }
    if (has('prefill', 'training') && dtype === 'float32' && !quick) list.push(productsJob(variant, settings));
  }
  // Limits are measured before and after: their best moment counts.
  return quick ? list : [...list, bandwidthJob(settings)];
}

const decoding = ({ batch, after }: Readonly<Record<string, number>>) => `batch ${batch}, after ${after} tokens`;

const kinds: Record<string, RowKind> = {
  ...limitKinds,
  'load-safetensors': {
    title: () => 'load, float32 safetensors',
    better: 'lower',
    goal: () => ({ value: 2 }),
  },
  'load-gguf': { title: () => 'load, GGUF file', better: 'lower' },
  'load-memory': { title: () => 'peak memory of loading', better: 'lower' },
  'load-memory-multiple': {
    title: () => 'peak memory of loading, as multiple of the float32 weights',
    better: 'lower',
    // The copies in bfloat16 are half as much again.
    goal: ({ dtype }) => (dtype === 'float32' ? { value: 1.3 } : undefined),
  },
  prefill: {
    title: ({ tokens }) => `prefill, ${tokens} tokens`,
    better: 'higher',
    goal: ({ backend }) => (backend.startsWith('tensorflow') ? { timesReference: 1 } : undefined),
  },
  prepare: { title: () => 'preparing decoding, once for each model', better: 'lower' },
  decode: {
    title: (sizes) => `decode, ${decoding(sizes)}`,
    better: 'higher',
    goal: ({ sizes: { batch, after } }) => {
      if (batch === 1) return { timesReference: 1.5, ...(after === 128 && { ofLimit: 0.6 }) };
      return batch === 4 ? { timesReference: 2.5 } : undefined;
    },
  },
  generate: {
    title: (sizes) => `generate ${sizes['tokens']}, prompts included, ${decoding(sizes)}`,
    better: 'higher',
    goal: ({ sizes: { batch, after } }) =>
      after !== 128 || batch === 16 ? undefined : { timesReference: batch === 1 ? 1.5 : 2.5 },
  },
  'decode-growth': {
    title: () => 'time of a token after 1024, as multiple of that after 128',
    better: 'lower',
    goal: () => ({ value: 1.3 }),
  },
  'cache-token': { title: () => 'cache of a token, backend', better: 'lower' },
  'step-cache-token': { title: () => 'cache of a token, in decoding', better: 'lower' },
  'cache-growth': {
    title: () => 'cache of a token at 512 to 1024, as multiple of that at 256 to 512, backend',
    better: 'lower',
    goal: () => ({ value: 1.05 }),
  },
  'step-cache-growth': {
    title: () => 'cache of a token at 512 to 1024, as multiple of that at 256 to 512, in decoding',
    better: 'lower',
    goal: () => ({ value: 1.05 }),
  },
  training: { title: ({ tokens }) => `LoRA training step (q, v, rank 16), ${tokens} tokens`, better: 'lower' },
  'training-memory': { title: ({ tokens }) => `peak memory of training, ${tokens} tokens`, better: 'lower' },
};

/** How cost grows with length: from decoding after two lengths, and from caches of three. */
function derive(figures: FigureSet): Figure[] {
  const owners = figures.all().filter(({ measure }) => measure === 'decode' || measure === 'cache-bytes');
  const variants = new Map(owners.map(({ backend, dtype }) => [`${backend} ${dtype}`, { backend, dtype }]));
  return [...variants.values()].flatMap((variant) => {
    const value = (measure: string, sizes: Record<string, number>) => {
      const found = figures.find({ ...variant, measure, sizes });
      return found && median(found.samples);
    };
    const made = (measure: string, unit: string, sample: number): Figure => ({
      ...{ ...variant, measure, unit, sizes: {}, samples: [sample] },
    });
    const near = value('decode', { batch: 1, after: 128, tokens: 128 });
    const far = value('decode', { batch: 1, after: 1024, tokens: 64 });
    const growth = near === undefined || far === undefined ? [] : [made('decode-growth', 'x', near / far)];
    const caches = ['', 'step-'].flatMap((prefix) => {
      const [short, middle, long] = [256, 512, 1024].map((tokens) => value(`${prefix}cache-bytes`, { tokens }));
      if (short === undefined || middle === undefined || long === undefined) return [];
      const perToken = (long - middle) / 512;
      return [
        made(`${prefix}cache-token`, 'bytes', perToken),
        made(`${prefix}cache-growth`, 'x', perToken / ((middle - short) / 256)),
      ];
    });
    return variant.backend === 'transformers' ? [] : [...growth, ...caches];
  });
}

export const runtimeSuite: Suite = {
  name: 'runtime',
  description: 'loading, prompts, new tokens and adapter training',
  groups,
  jobs,
  kinds,
  derive,
  // Wall times of 128 + 128 tokens with eager attention; a prompt of 256 tokens took 0.85 s.
  published: [
    { measure: 'generate', sizes: { batch: 1, after: 128, tokens: 128 }, value: 13.4 },
    { measure: 'generate', sizes: { batch: 4, after: 128, tokens: 128 }, value: 30.7 },
    { measure: 'prefill', sizes: { tokens: 256 }, value: 256 / 0.85 },
  ],
};
