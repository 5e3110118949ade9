// Starts the plain JavaScript backend: needs nothing, slow, meant for tests and comparisons.
import * as tf from '@tensorflow/tfjs';
import type { StartedEngine } from '../backend-info.js';
import { fixCumulativeAxis } from '../kernels/cumulative-axis.js';
import { checkEngine } from './check-engine.js';

export async function startCpu(): Promise<StartedEngine> {
  if (!(await tf.setBackend('cpu'))) throw new Error('the JavaScript backend of @tensorflow/tfjs did not initialise');
  fixCumulativeAxis('cpu');
  await checkEngine();
  return { device: 'cpu', version: tf.version['tfjs-backend-cpu'], threads: 1 };
}
