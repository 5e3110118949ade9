// What the conformance suite needs to know of a weaver.
import type { Weaver } from '@memgen/core';

export interface WeaverConformanceOptions {
  /** Makes the weaver; the same one each time. The checks change and dispose what they get. */
  create: () => Weaver | Promise<Weaver>;
  /** Reads what `save` wrote. */
  load: (folder: string) => Weaver | Promise<Weaver>;
  /** Hidden size of the reasoner that it weaves for. */
  reasonerHidden: number;
  /** Largest difference between equal latents, as a part of the largest value (of 1 at least). @default 1e-4 */
  tolerance?: number;
}
