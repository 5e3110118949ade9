// All measuring jobs by name; each is loaded only by the process that runs it.
import type { Reporter } from './frame/reporter.js';
import type { JobSettings } from './frame/suite.js';

interface JobModule {
  run: (settings: JobSettings, reporter: Reporter) => Promise<void>;
}

export const jobs = {
  bandwidth: () => import('./limits/bandwidth.js'),
  products: () => import('./limits/products.js'),
  loading: () => import('./runtime/loading.js'),
  inference: () => import('./runtime/inference.js'),
  training: () => import('./runtime/training.js'),
  'woven-generation': () => import('./weaving/generation.js'),
  'woven-points': () => import('./weaving/points.js'),
  'woven-training': () => import('./weaving/training.js'),
  'supervised-training': () => import('./trainers/supervised.js'),
  'policy-training': () => import('./trainers/policies.js'),
  'group-sharing': () => import('./trainers/sharing.js'),
  'worker-rollouts': () => import('./trainers/worker-rollouts.js'),
} as const satisfies Record<string, () => Promise<JobModule>>;

export type JobName = keyof typeof jobs;
