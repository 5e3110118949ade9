// The conformance suite of triggers: what trainers and generation rely on.
import type { ConformanceCheck } from '@memgen/core/test';
import type { TriggerConformanceOptions } from './conformance-options.js';
import { inferenceChecks } from './inference-checks.js';
import { sessionChecks } from './session-checks.js';
import { trainingChecks } from './training-checks.js';

/**
 * Checks of a trigger of one's own, for any test runner; none of them needs a reasoner. A backend must have been started.
 * A trigger without parameters, a rule, passes the checks of training by having nothing to train.
 *
 * @example
 * describe('my trigger', () => {
 *   for (const { name, run } of triggerConformance({ create, load, vocabularySize: 49152 })) it(name, run);
 * });
 */
export function triggerConformance(options: TriggerConformanceOptions): ConformanceCheck[] {
  return [...sessionChecks(options), ...inferenceChecks(options), ...trainingChecks(options)];
}
