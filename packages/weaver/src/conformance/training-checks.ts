// Checks of what training needs: gradients, dropout, parameters that change in place, nothing left behind.
import { eager, Tape } from '@memgen/core';
import {
  conformanceCheck,
  moveParameters,
  requireClose,
  requireGradients,
  requireThat,
  type ConformanceCheck,
} from '@memgen/core/test';
import * as tf from '@tensorflow/tfjs';
import type { WeaverConformanceOptions } from './conformance-options.js';
import {
  byRows,
  kinds,
  randomRow,
  requireShape,
  weaveAlone,
  weaveInTraining,
  weaveRows,
  withSession,
  withWeaver,
  type Row,
} from './weaver-probe.js';

export function trainingChecks(options: WeaverConformanceOptions): ConformanceCheck[] {
  const { reasonerHidden: hidden, tolerance = 1e-4 } = options;
  const rows: [Row, Row] = [randomRow(5, hidden, 1), randomRow(2, hidden, 2)];
  const check = (name: string, body: Parameters<typeof withWeaver>[1]) =>
    conformanceCheck(name, () => withWeaver(options, body));

  return [
    check('weaves the same in training as in generation', (weaver) => {
      const { latentCounts } = weaver;
      const [first, second] = withSession(weaver, 2, (session) => {
        const prompt = weaveRows(session, 'prompt', [rows[0].slice(0, 3), [undefined, ...rows[1]]], { weaver, hidden });
        session.select([0]);
        const latents = Array.from({ length: latentCounts.prompt }, (_, k) =>
          prompt[0]!.slice(k * hidden, (k + 1) * hidden),
        );
        const next = [[...latents, ...rows[0].slice(3)]];
        return [prompt, weaveRows(session, 'inference', next, { weaver, hidden })] as const;
      });
      const requireSame = (latents: tf.Tensor, expected: readonly Float32Array[], where: string) => {
        requireShape(latents, [expected.length * (expected[0]!.length / hidden), hidden]);
        byRows(Float32Array.from(latents.dataSync<'float32'>()), expected.length).forEach((got, row) => {
          const message = `latents of ${where} differ from those of generation (row ${row})`;
          requireClose(got, expected[row]!, tolerance, { message });
        });
      };
      for (const checkpointing of [true, false]) {
        const tape = new Tape({ checkpointing });
        try {
          const [prompt, inference] = weaveInTraining(weaver, rows, { execution: tape, hidden });
          requireSame(prompt, first, 'the first call on a tape');
          requireSame(inference, second, 'the second call on a tape, of fewer rows,');
        } finally {
          tape.dispose();
        }
      }
      tf.tidy(() => {
        const [prompt, inference] = weaveInTraining(weaver, rows, { execution: eager, hidden });
        requireSame(prompt, first, 'the first call of an evaluation');
        requireSame(inference, second, 'the second call of an evaluation');
      });
    }),

    check('passes gradients to every parameter, equal to finite differences', (weaver) => {
      const parameters = weaver.parameters();
      moveParameters(parameters);
      requireGradients({ parameters, forward: (execution) => weaveInTraining(weaver, rows, { execution, hidden }) });
    }),

    check('drops units by its seed alone, also when pieces are run again', (weaver) => {
      const parameters = weaver.parameters();
      moveParameters(parameters);
      const forward = (execution: Tape | typeof eager) =>
        weaveInTraining(weaver, rows, { execution, hidden, dropoutSeed: 5 });
      const run = () => tf.tidy(() => forward(eager).map((latents) => Float32Array.from(latents.dataSync())));
      const [first, again] = [run(), run()];
      first.forEach((latents, call) => {
        requireClose(again[call]!, latents, 0, { message: 'the same dropoutSeed does not give the same latents' });
      });
      requireGradients({ parameters, forward }, { slopes: false });
    }),

    check('follows its parameters, which keep their names', (weaver) => {
      const parameters = weaver.parameters();
      const before = kinds.map((kind) => weaveAlone(weaver, kind, rows, hidden));
      const names = [...parameters.keys()].join();
      requireThat(
        [...weaver.parameters()].every(([name, variable]) => parameters.get(name) === variable),
        {
          message: 'parameters() does not give the same variables by the same names each time',
          got: [...weaver.parameters().keys()].join(),
          expected: names,
        },
      );
      if (parameters.size === 0) return;
      moveParameters(parameters);
      const after = kinds.map((kind) => weaveAlone(weaver, kind, rows, hidden));
      const isSame = before.every((latents, k) => latents.every((row, b) => row.join() === after[k]![b]!.join()));
      requireThat(!isSame, {
        message: 'latents stay the same when the parameters change',
        hint: 'a session that begins after a training step must use the new values',
      });
    }),

    conformanceCheck('frees its parameters, and nothing else, when it is disposed', async () => {
      let parameters: tf.Variable[] = [];
      await withWeaver(options, (weaver) => {
        parameters = [...weaver.parameters().values()];
        const made = tf.memory().numTensors;
        withSession(weaver, 2, (session) => {
          weaveRows(session, 'prompt', [rows[0].slice(0, 2), rows[1]], { weaver, hidden });
          session.select([1, 0]);
        });
        // A session that never reads anything, as of a generation that fails at once.
        withSession(weaver, 2, () => undefined);
        requireThat(tf.memory().numTensors === made, {
          message: 'a session leaves tensors behind',
          got: `${tf.memory().numTensors - made} tensors more`,
        });
      });
      requireThat(
        parameters.every((variable) => variable.isDisposed),
        { message: 'a parameter was not disposed' },
      );
    }),
  ];
}
