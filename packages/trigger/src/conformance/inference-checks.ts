// Checks of the way in which a trigger judges while text is generated, for triggers that have one of their own.
import { InferenceReader, type Trigger, type TriggerInference } from '@memgen/core';
import { conformanceCheck, requireClose, requireThat, type ConformanceCheck } from '@memgen/core/test';
import type { TriggerConformanceOptions } from './conformance-options.js';
import { judgeAlone, randomRow, withTrigger } from './trigger-probe.js';

export function inferenceChecks(options: TriggerConformanceOptions): ConformanceCheck[] {
  const { vocabularySize, tolerance = 1e-4 } = options;
  const [a, b] = [randomRow(7, vocabularySize, 1), randomRow(5, vocabularySize, 2)];

  const check = (name: string, body: (trigger: Trigger, inference: TriggerInference) => Promise<void>) =>
    conformanceCheck(name, () =>
      withTrigger(options, async (trigger) => {
        const open = (model: ConstructorParameters<typeof InferenceReader>[0], rows: object) =>
          new InferenceReader(model, { rows: 2, ...rows });
        const inference = trigger.beginInference?.({ rows: 2, open });
        if (inference === undefined) return;
        try {
          await body(trigger, inference);
        } finally {
          inference.dispose();
        }
      }),
    );

  /** @param texts - by row, all that it has read; undefined for a row that was not asked about. */
  function requireLogits(
    trigger: Trigger,
    got: readonly (Float32Array | undefined)[],
    texts: readonly (readonly number[] | undefined)[],
  ): void {
    texts.forEach((text, row) => {
      if (text === undefined) {
        requireThat(got[row] === undefined, { message: `row ${row} was not asked about and has logits` });
        return;
      }
      const expected = judgeAlone(trigger, [text], vocabularySize)[0]!.slice(-2);
      requireClose(got[row] ?? [], expected, tolerance, {
        message: `row ${row} is judged otherwise than by a session`,
      });
    });
  }

  return [
    check('judges in generation as its sessions do, each row at its own pace', async (trigger, inference) => {
      const texts = [a.slice(0, 3), b.slice(0, 2)];
      requireLogits(trigger, await inference.judge(texts), texts);
      requireLogits(trigger, await inference.judge([undefined, b.slice(2)]), [undefined, b]);
      requireLogits(trigger, await inference.judge([a.slice(3), undefined]), [a, undefined]);
    }),

    check(
      'goes on in generation with selected rows, in another order and several times',
      async (trigger, inference) => {
        await inference.judge([a.slice(0, 3), b.slice(0, 2)]);
        inference.select([1, 0, 1]);
        const judged = await inference.judge([b.slice(2), a.slice(3), b.slice(2, 4)]);
        requireLogits(trigger, judged, [b, a, b.slice(0, 4)]);
      },
    ),
  ];
}
