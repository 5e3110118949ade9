// The conformance suite of triggers: LanguageModelTrigger passes it, one with a fault fails the check for that fault.
import { Random } from '@memgen/common';
import {
  eager,
  loadReasoner,
  startBackend,
  type Decoder,
  type Piece,
  type Trigger,
  type TriggerSession,
  type TriggerSessionOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../../core/src/model/tiny-decoder.test-helper.js';
import { LanguageModelTrigger } from '../language-model-trigger.js';
import { triggerConformance, type TriggerConformanceOptions } from './index.js';

const shared = process.env.MEMGEN_SHARED ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const vocabularySize = 32;
let base: Decoder;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
});
afterAll(() => {
  base.dispose();
});

function newTrigger(of: Decoder, dropout = 0): LanguageModelTrigger {
  const lora = { r: 2, alpha: 4, dropout, targetModules: ['q_proj', 'v_proj'] };
  return LanguageModelTrigger.initialize(of, { lora }, Random.fromSeed(1));
}

/** A suite that is made when it runs, so that base models can be loaded before. */
function suite(name: string, options: () => TriggerConformanceOptions): void {
  describe(name, () => {
    const names = triggerConformance({ create: never, load: never, vocabularySize }).map((check) => check.name);
    it.each(names)('%s', async (name) => {
      await triggerConformance(options())
        .find((check) => check.name === name)!
        .run();
    });
  });
}

function never(): never {
  throw new Error('only the names are asked for');
}

suite('a new LanguageModelTrigger with dropout', () => ({
  create: () => newTrigger(base, 0.3),
  load: (folder) => LanguageModelTrigger.load(folder, base),
  vocabularySize,
}));

const models = join(shared, 'golden', 'models');
describe.skipIf(!existsSync(models))(
  'on recorded models (skipped where the shared folder has no golden/models)',
  () => {
    let recorded: Decoder;
    beforeAll(async () => {
      recorded = (await loadReasoner(join(models, 'llama-mem'))).decoder;
    });
    afterAll(() => {
      recorded.dispose();
    });
    suite('a new trigger on the untied Llama', () => ({
      create: () => newTrigger(recorded),
      load: (folder) => LanguageModelTrigger.load(folder, recorded),
      vocabularySize: 352,
    }));
    suite('the official trigger of llama', () => ({
      create: () =>
        LanguageModelTrigger.loadOfficial(join(shared, 'golden', 'c_memgen', 'llama', 'checkpoint'), recorded),
      load: (folder) => LanguageModelTrigger.load(folder, recorded),
      vocabularySize: 352,
    }));
  },
);

/** Names of the checks that a trigger fails. */
async function failures(create: () => Trigger): Promise<string[]> {
  const failed: string[] = [];
  const load = (folder: string) => LanguageModelTrigger.load(folder, base);
  for (const { name, run } of triggerConformance({ create, load, vocabularySize })) {
    try {
      await run();
    } catch (error) {
      expect(error, name).toMatchObject({ name: 'MemGenError', code: 'conformance' });
      failed.push(name);
    }
  }
  return failed;
}

/** A trigger with something changed. */
function altered(change: (trigger: LanguageModelTrigger) => Partial<Trigger>): () => Trigger {
  return () => {
    const trigger = newTrigger(base);
    return {
      parameters: () => trigger.parameters(),
      begin: (options) => trigger.begin(options),
      save: (folder) => trigger.save(folder),
      dispose: () => {
        trigger.dispose();
      },
      ...change(trigger),
    };
  };
}

/** A trigger whose sessions have something changed. */
function alteredSession(
  change: (session: TriggerSession, options: TriggerSessionOptions) => Partial<TriggerSession>,
): () => Trigger {
  return altered((trigger) => ({
    begin: (options) => {
      const session = trigger.begin(options);
      return {
        judge: (...call) => session.judge(...call),
        select: (rows) => {
          session.select(rows);
        },
        dispose: () => {
          session.dispose();
        },
        ...change(session, options),
      };
    },
  }));
}

/** The identity, with a gradient that is too large. */
const steepened: Piece = {
  linearize: ([x]) => ({
    outputs: [tf.mul(x!, 1)],
    saved: [],
    pullback: ([gradient]) => [tf.mul(gradient!, 1.2)],
  }),
};

describe('triggerConformance finds', () => {
  const kept: tf.Tensor[] = [];
  let draws = 0;
  const faults: [string, () => Trigger, string][] = [
    [
      'a mask that is ignored',
      alteredSession((session) => ({
        judge: (ids, mask) => session.judge(ids, mask.map((row) => row.map(() => 1))), // prettier-ignore
      })),
      'judges each row by itself, whatever stands at padding',
    ],
    [
      'a look at later tokens',
      alteredSession((session) => ({
        judge: (ids, mask) => {
          const width = mask[0]!.length;
          const logits = tf.reshape(session.judge(ids, mask), [mask.length, width, 2]);
          return tf.reshape(tf.tile(tf.slice(logits, [0, width - 1, 0]), [1, width, 1]), [mask.length * width, 2]);
        },
      })),
      'judges in several calls as it judges at once, each token by what stands before it',
    ],
    [
      'rows that are selected in the order of the batch',
      alteredSession((session) => ({
        select: (rows) => {
          session.select([...rows].sort());
        },
      })),
      'goes on with selected rows, in another order and several times',
    ],
    [
      'a logit for the last token alone',
      alteredSession((session) => ({ judge: (...call) => tf.slice(session.judge(...call), 0, 1) })),
      'gives two finite logits for each token',
    ],
    [
      'noise',
      alteredSession((session) => ({ judge: (...call) => tf.add(session.judge(...call), 1e-6 * draws++) })),
      'judges the same each time, whatever other sessions do',
    ],
    [
      'a tensor that is kept',
      alteredSession((session) => ({
        judge: (...call) => {
          const logits = session.judge(...call);
          kept.push(tf.keep(logits.clone()));
          return logits;
        },
      })),
      'frees its parameters, and nothing else, when it is disposed',
    ],
    [
      'a gradient that is not the slope',
      alteredSession((session, { execution = eager }) => ({
        judge: (...call) => execution.run(steepened, [session.judge(...call)])[0] as tf.Tensor2D,
      })),
      'passes gradients to every parameter, equal to finite differences',
    ],
    [
      'a gradient that does not flow',
      alteredSession((session, { execution = eager }) => ({
        judge: (...call) => execution.constants(() => [session.judge(...call).clone()])[0] as tf.Tensor2D,
      })),
      'passes gradients to every parameter, equal to finite differences',
    ],
    [
      'a piece that is not the same when it is run again',
      alteredSession((session, { execution = eager, dropoutSeed }) => ({
        judge: (...call) => {
          const logits = session.judge(...call);
          if (dropoutSeed === undefined) return logits;
          return execution.run(([x]) => [tf.mul(x!, 1 + (draws++ % 7))], [logits])[0] as tf.Tensor2D;
        },
      })),
      'drops units by its seed alone, also when pieces are run again',
    ],
    [
      'parameters that are copied once and for all',
      altered((trigger) => {
        const copies = new Map([...trigger.parameters()].map(([name, v]) => [name, tf.tidy(() => tf.variable(v))]));
        return {
          parameters: () => copies,
          dispose: () => {
            tf.dispose([...copies.values()]);
            trigger.dispose();
          },
        };
      }),
      'follows its parameters, which keep their names',
    ],
    [
      'another judgement in training',
      alteredSession((session, { ownership }) => ({
        judge: (...call) => (ownership === 'parts' ? tf.neg(session.judge(...call)) : session.judge(...call)),
      })),
      'judges the same in training as in generation',
    ],
    [
      'errors of another kind',
      alteredSession((session) => ({
        select: (rows) => {
          try {
            session.select(rows);
          } catch {
            throw new TypeError('no such row');
          }
        },
      })),
      'refuses columns and rows that do not fit',
    ],
    [
      'files that do not hold what is saved',
      altered((trigger) => ({
        save: async (folder) => {
          const other = newTrigger(base);
          await other.save(folder);
          other.dispose();
          trigger.parameters();
        },
      })),
      'comes back from its files to the bit',
    ],
  ];

  it.each(faults)('%s', async (_, create, name) => {
    expect(await failures(create)).toContain(name);
    tf.dispose(kept.splice(0));
  });

  it('nothing where nothing is wrong', async () => {
    expect(await failures(altered(() => ({})))).toEqual([]);
  });
});
