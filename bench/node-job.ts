// Jobs that run in a Node process of their own.
import { fileURLToPath } from 'node:url';
import type { Job, JobSettings } from './frame/suite.js';
import type { JobName } from './jobs.js';

const worker = fileURLToPath(new URL('measure-backend.ts', import.meta.url));

export interface NodeJob extends Pick<Job, 'label' | 'weight'> {
  job: JobName;
  settings: JobSettings;
}

export function nodeJob({ job, settings, ...facts }: NodeJob): Job {
  const words = ['--import', 'tsx', '--conditions=@memgen/source', worker, JSON.stringify({ job, settings })];
  return { ...facts, program: process.execPath, words };
}
