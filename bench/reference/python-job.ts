// The reference: transformers on the same weights, measured by a Python process in the same run.
import { fileURLToPath } from 'node:url';
import type { Job } from '../frame/suite.js';

const script = fileURLToPath(new URL('transformers_figures.py', import.meta.url));

/** What the script is told; the sizes are ours, so that both sides do the same work. */
export interface ReferenceSettings {
  /** A Hugging Face folder. */
  model: string;
  repetitions: number;
  /** Which figures. */
  only: readonly string[];
  text: string;
  prefill: readonly number[];
  decoding: readonly { batch: number; after: number; tokens: number; heavy: boolean }[];
  training: readonly number[];
}

export function pythonJob(python: string, weight: number, settings: ReferenceSettings): Job {
  return { label: 'transformers (the reference)', program: python, words: [script, JSON.stringify(settings)], weight };
}
