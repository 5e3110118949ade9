// The conformance suite of weavers: what trainers and generation rely on.
import type { ConformanceCheck } from '@memgen/core/test';
import type { WeaverConformanceOptions } from './conformance-options.js';
import { fileChecks } from './file-checks.js';
import { inferenceChecks } from './inference-checks.js';
import { sessionChecks } from './session-checks.js';
import { trainingChecks } from './training-checks.js';

/**
 * Checks of a weaver of one's own, for any test runner; none of them needs a reasoner. A backend must have been started.
 *
 * @example
 * describe('my weaver', () => {
 *   for (const { name, run } of weaverConformance({ create, load, reasonerHidden: 576 })) it(name, run);
 * });
 */
export function weaverConformance(options: WeaverConformanceOptions): ConformanceCheck[] {
  return [...sessionChecks(options), ...inferenceChecks(options), ...trainingChecks(options), ...fileChecks(options)];
}
