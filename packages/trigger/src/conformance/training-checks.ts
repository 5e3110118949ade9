// Checks of what training and checkpoints need: gradients, dropout, parameters that change in place, files.
import { eager, Tape, type Execution } from '@memgen/core';
import {
  conformanceCheck,
  moveParameters,
  requireClose,
  requireGradients,
  requireThat,
  withTemporaryFolder,
  type ConformanceCheck,
} from '@memgen/core/test';
import * as tf from '@tensorflow/tfjs';
import type { TriggerConformanceOptions } from './conformance-options.js';
import {
  atTokens,
  judgeAlone,
  judgeInTraining,
  judgeRows,
  randomRow,
  requireShape,
  withSession,
  withTrigger,
  type Row,
} from './trigger-probe.js';

export function trainingChecks(options: TriggerConformanceOptions): ConformanceCheck[] {
  const { load, vocabularySize, tolerance = 1e-4 } = options;
  const [long, short] = [randomRow(5, vocabularySize, 1), randomRow(3, vocabularySize, 2)];
  const rows: Row[] = [long, [...short, undefined, undefined]];
  const check = (name: string, body: Parameters<typeof withTrigger>[1]) =>
    conformanceCheck(name, () => withTrigger(options, body));

  return [
    check('judges the same in training as in generation', (trigger) => {
      const expected = judgeAlone(trigger, rows, vocabularySize);
      const requireSame = (logits: tf.Tensor2D, where: string) => {
        requireShape(logits, 2 * long.length);
        atTokens(Float32Array.from(logits.dataSync<'float32'>()), rows).forEach((got, row) => {
          const message = `logits ${where} differ from those of generation (row ${row})`;
          requireClose(got, expected[row]!, tolerance, { message });
        });
      };
      for (const checkpointing of [true, false]) {
        const tape = new Tape({ checkpointing });
        try {
          requireSame(judgeInTraining(trigger, rows, { execution: tape, vocabularySize }), 'on a tape');
        } finally {
          tape.dispose();
        }
      }
      tf.tidy(() => {
        requireSame(judgeInTraining(trigger, rows, { vocabularySize }), 'of an evaluation');
      });
    }),

    check('passes gradients to every parameter, equal to finite differences', (trigger) => {
      const parameters = trigger.parameters();
      moveParameters(parameters);
      const forward = (execution: Execution) => [judgeInTraining(trigger, [long], { execution, vocabularySize })];
      requireGradients({ parameters, forward });
    }),

    check('drops units by its seed alone, also when pieces are run again', (trigger) => {
      const parameters = trigger.parameters();
      moveParameters(parameters);
      const forward = (execution: Execution) => [
        judgeInTraining(trigger, [long], { execution, vocabularySize, dropoutSeed: 5 }),
      ];
      const run = () => tf.tidy(() => Float32Array.from(forward(eager)[0]!.dataSync<'float32'>()));
      requireClose(run(), run(), 0, { message: 'the same dropoutSeed does not give the same logits' });
      requireGradients({ parameters, forward }, { slopes: false });
    }),

    check('follows its parameters, which keep their names', (trigger) => {
      const parameters = trigger.parameters();
      requireThat(
        [...trigger.parameters()].every(([name, variable]) => parameters.get(name) === variable),
        {
          message: 'parameters() does not give the same variables by the same names each time',
          got: [...trigger.parameters().keys()].join(', '),
          expected: [...parameters.keys()].join(', '),
        },
      );
      if (parameters.size === 0) return;
      const before = judgeAlone(trigger, rows, vocabularySize);
      moveParameters(parameters);
      const after = judgeAlone(trigger, rows, vocabularySize);
      requireThat(JSON.stringify(before) !== JSON.stringify(after), {
        message: 'logits stay the same when the parameters change',
        hint: 'a session that begins after a training step must use the new values',
      });
    }),

    conformanceCheck('frees its parameters, and nothing else, when it is disposed', async () => {
      let parameters: tf.Variable[] = [];
      await withTrigger(options, (trigger) => {
        parameters = [...trigger.parameters().values()];
        const made = tf.memory().numTensors;
        withSession(trigger, 2, (session) => {
          judgeRows(session, [long, long], vocabularySize);
          session.select([1, 0]);
        });
        // A session that never reads anything, as of a generation that fails at once.
        withSession(trigger, 2, () => undefined);
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

    check('comes back from its files to the bit', (trigger) => {
      moveParameters(trigger.parameters());
      return withTemporaryFolder(async (folder) => {
        await trigger.save(folder);
        await withTrigger({ create: () => load(folder) }, (copy) => {
          const [saved, loaded] = [trigger.parameters(), copy.parameters()];
          requireThat([...saved.keys()].sort().join() === [...loaded.keys()].sort().join(), {
            message: 'other parameters come back than were saved',
            got: [...loaded.keys()].sort().join(', '),
            expected: [...saved.keys()].sort().join(', '),
          });
          for (const [name, variable] of saved) {
            const message = `the parameter ${name} comes back changed`;
            requireClose(loaded.get(name)!.dataSync(), variable.dataSync(), 0, { message });
          }
          const [got, expected] = [copy, trigger].map((one) => judgeAlone(one, [long], vocabularySize)[0]!);
          const message = 'a trigger that comes back from its files judges otherwise';
          requireClose(got!, expected!, 0, { message });
        });
      });
    }),
  ];
}
