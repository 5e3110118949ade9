// What the conformance suite needs to know of a trigger.
import type { Trigger } from '@memgen/core';

export interface TriggerConformanceOptions {
  /** Makes the trigger; the same one each time. The checks change and dispose what they get. */
  create: () => Trigger | Promise<Trigger>;
  /** Reads what `save` wrote. */
  load: (folder: string) => Trigger | Promise<Trigger>;
  /** Token ids that it reads are from 0 to this, exclusive. */
  vocabularySize: number;
  /** Largest difference between equal logits, as a part of the largest value (of 1 at least). @default 1e-4 */
  tolerance?: number;
}
