// Checks of the way in which a weaver weaves while text is generated, for weavers that have one of their own.
import { InferenceReader, joinVectors, type LatentKind, type Weaver, type WeaverInference } from '@memgen/core';
import { conformanceCheck, requireClose, requireThat, type ConformanceCheck } from '@memgen/core/test';
import type { WeaverConformanceOptions } from './conformance-options.js';
import { randomRow, weaveAlone, withWeaver } from './weaver-probe.js';

export function inferenceChecks(options: WeaverConformanceOptions): ConformanceCheck[] {
  const { reasonerHidden: hidden, tolerance = 1e-4 } = options;
  const [a, b] = [randomRow(7, hidden, 1), randomRow(5, hidden, 2)];

  const check = (name: string, body: (weaver: Weaver, inference: WeaverInference) => Promise<void>) =>
    conformanceCheck(name, () =>
      withWeaver(options, async (weaver) => {
        const open = (model: ConstructorParameters<typeof InferenceReader>[0], rows: object) =>
          new InferenceReader(model, { rows: 2, ...rows });
        const inference = weaver.beginInference?.({ rows: 2, open });
        if (inference === undefined) return;
        try {
          await body(weaver, inference);
        } finally {
          inference.dispose();
        }
      }),
    );

  function requireLatents(
    got: readonly (Float32Array | undefined)[],
    expected: readonly (Float32Array | undefined)[],
    message: string,
  ): void {
    requireThat(got.length === expected.length, {
      message: 'there must be an entry for each row',
      got: String(got.length),
      expected: String(expected.length),
    });
    expected.forEach((latents, row) => {
      if (latents !== undefined)
        requireClose(got[row] ?? [], latents, tolerance, { message: `${message} (row ${row})` });
      else requireThat(got[row] === undefined, { message: `row ${row} took no part and has latents` });
    });
  }

  return [
    check('weaves in generation what its sessions weave, each row at its own pace', async (weaver, inference) => {
      const alone = (kind: LatentKind, row: Float32Array[]) => weaveAlone(weaver, kind, [row], hidden)[0]!;
      requireLatents(
        await inference.weave('prompt', [joinVectors(a.slice(0, 3)), joinVectors(b.slice(0, 2))]),
        [alone('prompt', a.slice(0, 3)), alone('prompt', b.slice(0, 2))],
        'the first call differs from a session',
      );
      requireLatents(
        await inference.weave('inference', [undefined, joinVectors(b.slice(2))]),
        [undefined, alone('inference', b)],
        'a call for one row differs from a session',
      );
      requireLatents(
        await inference.weave('inference', [joinVectors(a.slice(3)), undefined]),
        [alone('inference', a), undefined],
        'a row that waited differs from a session',
      );
    }),

    check('goes on in generation with selected rows, in another order and several times', async (weaver, inference) => {
      await inference.weave('prompt', [joinVectors(a.slice(0, 3)), joinVectors(b.slice(0, 2))]);
      inference.select([1, 0, 1]);
      const rest = [b.slice(2), a.slice(3), b.slice(2, 4)];
      const read = [b, a, b.slice(0, 4)];
      requireLatents(
        await inference.weave('inference', rest.map(joinVectors)),
        weaveAlone(weaver, 'inference', read, hidden),
        'a selected row differs from one that was read alone',
      );
    }),
  ];
}
