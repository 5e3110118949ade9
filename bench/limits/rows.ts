// The limits as jobs and rows of a suite.
import type { Job, RowKind, SuiteSettings } from '../frame/suite.js';
import { nodeJob } from '../node-job.js';
import { relativeCost, type Variant } from '../variants.js';

export function bandwidthJob({ quick, model }: Pick<SuiteSettings, 'quick' | 'model'>): Job {
  const settings = { backend: 'cpu', dtype: 'float32', quick, model, only: [] } as const;
  return nodeJob({ label: 'memory bandwidth', job: 'bandwidth', settings, weight: 3 });
}

export function productsJob(variant: Variant, { quick, model }: Pick<SuiteSettings, 'quick' | 'model'>): Job {
  const settings = { ...variant, quick, model, only: [] };
  const label = `${variant.backend} ${variant.dtype}: large products`;
  return nodeJob({ label, job: 'products', settings, weight: 3 * relativeCost(variant.backend) });
}

export const limitKinds: Record<string, RowKind> = {
  'bandwidth-copy': { title: () => 'memory bandwidth, copy (read and written)', better: 'higher' },
  'bandwidth-scan': { title: () => 'memory bandwidth, scan (read)', better: 'higher' },
  'bandwidth-compare': { title: () => 'memory bandwidth, compare (read)', better: 'higher' },
  'bandwidth-product': { title: () => 'memory bandwidth, matrix-vector product 2048x65536 (read)', better: 'higher' },
  matmul: { title: () => 'product 512x2048x2048', better: 'higher' },
};
