// Whether an adapter belongs to a decoder: its modules are there and have its sizes.
import { MemGenError } from '@memgen/common';
import type { DecoderConfig } from './decoder-config.js';
import { adaptableModules, loraKey, moduleShape, type LoraAdapter } from './lora.js';

/** @throws MemGenError `adapter-shape` naming a module that the decoder does not have, or has in other sizes. */
export function checkAdapterFits(adapter: LoraAdapter, config: DecoderConfig): void {
  const shapes = new Map(
    Array.from({ length: config.layers }, (_, layer) =>
      adaptableModules.map((module) => [loraKey(layer, module), moduleShape(config, module)] as const),
    ).flat(),
  );
  for (const [key, { a, b }] of adapter.modules) {
    const shape = shapes.get(key);
    if (a.shape[0] === shape?.input && b.shape[1] === shape.output && a.shape[1] === b.shape[0]) continue;
    throw new MemGenError({
      code: 'adapter-shape',
      where: key,
      message: 'the adapter does not belong to this model',
      got: `A [${a.shape.join(', ')}], B [${b.shape.join(', ')}]`,
      expected: shape === undefined ? 'no such module' : `A [${shape.input}, rank], B [rank, ${shape.output}]`,
      hint: 'use the adapter with the base model that it was made for',
    });
  }
}
