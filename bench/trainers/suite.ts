// `pnpm bench trainers`: steps of every trainer and where their time goes, and what rollouts gain by what they share.
import { modelFolder } from '@memgen/tiny-reasoner';
import { median, type Figure, type FigureSet } from '../frame/figure.js';
import type { Job, RowKind, Suite, SuiteSettings } from '../frame/suite.js';
import { nodeJob } from '../node-job.js';
import { relativeCost, variantsOf } from '../variants.js';
import { measuredSteps, methods, parts, policyMethods } from './methods.js';
import { groupWork } from './sharing.js';
import { rolloutWork } from './worker-rollouts.js';

const groups = [...Object.keys(methods), 'sharing', 'workers'];

function jobs({ quick, model, backends, only }: SuiteSettings): Job[] {
  const steps = 1 + measuredSteps(quick);
  return variantsOf(backends, only)
    .filter(({ dtype }) => dtype === 'float32')
    .flatMap(({ backend, dtype }) => {
      const weight = relativeCost(backend);
      const chosen = Object.keys(methods).filter((method) => only.has(method) && isPossible(method, model));
      const list = chosen.map((method) =>
        nodeJob({
          label: `${backend} ${dtype}: ${method}`,
          job: method in policyMethods ? 'policy-training' : 'supervised-training',
          settings: { backend, dtype, quick, model, only: [method] },
          weight: 2 + weight * steps,
        }),
      );
      if (only.has('sharing')) {
        const settings = { backend, dtype, quick, model, only: [] };
        const label = `${backend} ${dtype}: a group with and without a shared prompt`;
        list.push(nodeJob({ label, job: 'group-sharing', settings, weight: 2 + 2 * weight * (quick ? 3 : 6) }));
      }
      if (only.has('workers')) {
        const settings = { backend, dtype, quick, model, only: [] };
        const label = `${backend} ${dtype}: rollouts in the thread itself and in workers`;
        list.push(nodeJob({ label, job: 'worker-rollouts', settings, weight: 6 + 6 * weight * (quick ? 3 : 6) }));
      }
      return list;
    });
}

/** All weights are trained of small models only. */
function isPossible(method: string, model: string): boolean {
  return method !== 'full-sft' || model === modelFolder();
}

const group = `a group of ${groupWork.groupSize}, prompt of ${groupWork.promptTokens}, ${groupWork.newTokens} new tokens`;

const rollout = `rollout of ${rolloutWork.prompts} x ${rolloutWork.groupSize} completions of ${rolloutWork.newTokens}`;

const kinds: Record<string, RowKind> = {
  ...Object.fromEntries(
    Object.entries(methods).flatMap(([method, work]): [string, RowKind][] => [
      [`${method}-steps`, { title: () => work, better: 'higher' }],
      [`${method}-tokens`, { title: () => `${work}: tokens read`, better: 'higher' }],
      ...parts.map((part): [string, RowKind] => [
        `${method}-${part}`,
        { title: () => `${work}: ${part}`, better: 'lower' },
      ]),
      [`${method}-memory`, { title: () => `${work}: peak memory`, better: 'lower' }],
    ]),
  ),
  'group-together': { title: () => `${group}, the prompt read once`, better: 'higher' },
  'group-apart': { title: () => `${group}, the prompt read for each`, better: 'higher' },
  'group-sharing': { title: () => `${group}, once as multiple of for each`, better: 'higher' },
  'rollout-played': {
    title: ({ workers }) =>
      `${rollout}, ${workers === 0 ? 'in the thread itself' : `by ${workers} worker${workers === 1 ? '' : 's'}`}`,
    better: 'higher',
  },
  'rollout-workers': {
    title: () => `${rollout}, by 2 workers as multiple of by 1`,
    better: 'higher',
    goal: ({ backend }) => (backend === 'wasm' ? { value: 1.25 } : undefined),
  },
};

/** What is divided by what, on each backend. */
const ratios = [
  { measure: 'group-sharing', of: ['group-together', {}], by: ['group-apart', {}] },
  { measure: 'rollout-workers', of: ['rollout-played', { workers: 2 }], by: ['rollout-played', { workers: 1 }] },
] as const;

function derive(figures: FigureSet): Figure[] {
  const variants = new Map(figures.all().map(({ backend, dtype }) => [`${backend} ${dtype}`, { backend, dtype }]));
  return [...variants.values()].flatMap((variant) =>
    ratios.flatMap(({ measure, of, by }) => {
      const [over, under] = [of, by].map(([name, sizes]) => figures.find({ ...variant, measure: name, sizes }));
      if (over === undefined || under === undefined) return [];
      const samples = [median(over.samples) / median(under.samples)];
      return [{ ...variant, measure, sizes: {}, unit: 'x', samples }];
    }),
  );
}

export const trainersSuite: Suite = {
  name: 'trainers',
  description: 'steps of every trainer and where their time goes, rollouts of groups',
  groups,
  jobs,
  kinds,
  derive,
  published: [],
};
