// `pnpm bench weaving`: generation with latents woven in, and training steps of the weaver.
import type { Job, RowKind, Suite, SuiteSettings } from '../frame/suite.js';
import { bandwidthJob, limitKinds, productsJob } from '../limits/rows.js';
import { nodeJob } from '../node-job.js';
import { relativeCost, variantsOf } from '../variants.js';

const groups = ['generate', 'training'];

function jobs(settings: SuiteSettings): Job[] {
  const { quick, model, backends, only } = settings;
  const times = quick ? 1 : 3;
  const perVariant = variantsOf(backends, only)
    .filter(({ dtype }) => dtype === 'float32')
    .flatMap(({ backend, dtype }) => {
      const variant = { backend, dtype };
      const name = `${variant.backend} ${variant.dtype}`;
      const weight = relativeCost(variant.backend);
      const facts = { ...variant, quick, model, only: [...only] };
      const list = [productsJob(variant, settings)];
      if (only.has('generate')) {
        const label = `${name}: generation with latents`;
        list.push(nodeJob({ label, job: 'woven-generation', settings: facts, weight: 15 * weight * times }));
      }
      if (only.has('training')) {
        for (const size of [1, 0]) {
          const label = `${name}: weaver training step, ${how(size)} activations`;
          const cost = 15 * weight * (1 + times);
          list.push(nodeJob({ label, job: 'woven-training', settings: { ...facts, size }, weight: cost }));
        }
      }
      return list;
    });
  return [bandwidthJob(settings), ...perVariant];
}

const how = (recomputing: number | undefined) => (recomputing === 1 ? 'recomputing' : 'keeping');

const kinds: Record<string, RowKind> = {
  ...limitKinds,
  'woven-generate': {
    title: ({ batch }) => `generate 128 after 128 with latents, batch ${batch}`,
    better: 'higher',
    goal: ({ sizes: { batch } }) => ({ timesReference: batch === 1 ? 3 : 6 }),
  },
  'woven-generate-memory': { title: () => 'peak memory of generation with latents', better: 'lower' },
  'woven-training': {
    title: ({ recomputing }) => `weaver training step 4 x 256, 1 + 5 points, ${how(recomputing)} activations`,
    better: 'lower',
    goal: ({ backend }) =>
      backend.startsWith('tensorflow')
        ? { timesReference: 3.5 }
        : backend === 'wasm'
          ? { timesReference: 1 / 1.5 }
          : undefined,
  },
  'woven-training-memory': {
    title: ({ recomputing }) => `peak memory of that step, ${how(recomputing)} activations`,
    better: 'lower',
    goal: ({ backend }) => (backend.startsWith('tensorflow') ? { value: 4 } : undefined),
  },
};

/** Of the official code, on two shared threads whose torch product of 512x2048x2048 reached 110 GFLOP/s. */
const published = [
  { measure: 'woven-generate', sizes: { batch: 1 }, value: 9.0 },
  { measure: 'woven-generate', sizes: { batch: 4 }, value: 13.7 },
  ...[0, 1].flatMap((recomputing) => [
    { measure: 'woven-training', sizes: { recomputing }, value: 33.6 },
    { measure: 'woven-training-memory', sizes: { recomputing }, value: 10.4 },
  ]),
];

export const weavingSuite: Suite = {
  name: 'weaving',
  description: 'generation with latents and training of the weaver',
  groups,
  jobs,
  kinds,
  derive: () => [],
  published,
};
