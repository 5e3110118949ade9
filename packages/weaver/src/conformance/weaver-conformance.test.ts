// The conformance suite of weavers: LatentWeaver passes it, and a weaver with one fault fails the check for that fault.
import { Random } from '@memgen/common';
import {
  eager,
  loadReasoner,
  startBackend,
  type Decoder,
  type Piece,
  type Weaver,
  type WeaverSession,
  type WeaverSessionOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../../core/src/model/tiny-decoder.test-helper.js';
import { LatentWeaver } from '../latent-weaver.js';
import { tinyWeaver } from '../tiny-weaver.test-helper.js';
import { weaverConformance, type WeaverConformanceOptions } from './index.js';

const shared = process.env.MEMGEN_SHARED ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const hidden = 16;
const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
let base: Decoder;
let wide: Decoder;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  wide = await frozenDecoder(tinyConfig({ num_hidden_layers: 1, hidden_size: 24, num_attention_heads: 6 }));
});
afterAll(() => {
  base.dispose();
  wide.dispose();
});

/** A suite that is made when it runs, so that base models can be loaded before. */
function suite(name: string, options: () => WeaverConformanceOptions): void {
  describe(name, () => {
    const names = weaverConformance({ create: never, load: never, reasonerHidden: hidden }).map((check) => check.name);
    it.each(names)('%s', async (name) => {
      await weaverConformance(options())
        .find((check) => check.name === name)!
        .run();
    });
  });
}

function never(): never {
  throw new Error('only the names are asked for');
}

suite('a new LatentWeaver', () => ({
  create: () => LatentWeaver.initialize(base, hidden, { lora, promptLatents: 3 }, Random.fromSeed(1)),
  load: (folder) => LatentWeaver.load(folder, base),
  reasonerHidden: hidden,
}));

suite('a LatentWeaver with dropout on another base model than the reasoner', () => ({
  create: () => tinyWeaver(wide, { reasonerHidden: hidden, dropout: 0.3 }),
  load: (folder) => LatentWeaver.load(folder, wide),
  reasonerHidden: hidden,
}));

const models = join(shared, 'golden', 'models');
describe.skipIf(!existsSync(models))(
  'on recorded models (skipped where the shared folder has no golden/models)',
  () => {
    let recorded: Decoder;
    beforeAll(async () => {
      recorded = (await loadReasoner(join(models, 'qwen2-wide'))).decoder;
    });
    afterAll(() => {
      recorded.dispose();
    });
    suite('the official weaver of qwen2-hetero, hidden size 48 for a reasoner of 32,', () => ({
      create: () =>
        LatentWeaver.loadOfficial(join(shared, 'golden', 'c_memgen', 'qwen2-hetero', 'checkpoint'), recorded),
      load: (folder) => LatentWeaver.load(folder, recorded),
      reasonerHidden: 32,
    }));
  },
);

/** Names of the checks that a weaver fails. */
async function failures(changes: Partial<WeaverConformanceOptions>): Promise<string[]> {
  const failed: string[] = [];
  const options = {
    create: () => tinyWeaver(base),
    load: (folder: string) => LatentWeaver.load(folder, base),
    reasonerHidden: hidden,
    ...changes,
  };
  for (const { name, run } of weaverConformance(options)) {
    try {
      await run();
    } catch (error) {
      expect(error, name).toMatchObject({ name: 'MemGenError', code: 'conformance' });
      failed.push(name);
    }
  }
  return failed;
}

/** A weaver with something changed. */
function altered(change: (weaver: LatentWeaver) => Partial<Weaver>): () => Weaver {
  return () => {
    const weaver = tinyWeaver(base);
    return {
      latentCounts: weaver.latentCounts,
      parameters: () => weaver.parameters(),
      begin: (options) => weaver.begin(options),
      isTrained: () => weaver.isTrained(),
      save: (folder) => weaver.save(folder),
      dispose: () => {
        weaver.dispose();
      },
      ...change(weaver),
    };
  };
}

/** A weaver whose sessions have something changed. */
function alteredSession(
  change: (session: WeaverSession, options: WeaverSessionOptions, begin: () => WeaverSession) => Partial<WeaverSession>,
): () => Weaver {
  return altered((weaver) => ({
    begin: (options) => {
      const session = weaver.begin(options);
      return {
        weave: (...call) => session.weave(...call),
        select: (rows) => {
          session.select(rows);
        },
        dispose: () => {
          session.dispose();
        },
        ...change(session, options, () => weaver.begin(options)),
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

describe('weaverConformance finds', () => {
  const kept: tf.Tensor[] = [];
  let draws = 0;
  const faults: [string, () => Weaver, string][] = [
    [
      'a mask that is ignored',
      alteredSession((session) => ({
        weave: (kind, x, mask) => session.weave(kind, x, mask.map((row) => row.map(() => 1))), // prettier-ignore
      })),
      'reads each row by itself, whatever stands at padding',
    ],
    [
      'a call that knows nothing of the calls before',
      alteredSession((session, _, begin) => ({
        weave: (kind, x, mask) => {
          session.dispose();
          session = begin();
          return session.weave(kind, x, mask);
        },
        dispose: () => {
          session.dispose();
        },
      })),
      'reads in several calls what it reads at once, without a trace of what it wove',
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
      'latents of another size',
      alteredSession((session) => ({ weave: (...call) => tf.slice(session.weave(...call), 1) })),
      'weaves the announced number of finite vectors for each row',
    ],
    [
      'noise',
      alteredSession((session) => ({
        weave: (...call) => tf.add(session.weave(...call), 1e-6 * draws++),
      })),
      'weaves the same each time, whatever other sessions do',
    ],
    [
      'a tensor that is kept',
      alteredSession((session) => ({
        weave: (...call) => {
          const latents = session.weave(...call);
          kept.push(tf.keep(latents.clone()));
          return latents;
        },
      })),
      'frees its parameters, and nothing else, when it is disposed',
    ],
    [
      'a session that frees what the tape needs',
      alteredSession((session, { ownership }) => {
        const made: tf.Tensor[] = [];
        return {
          weave: (...call) => {
            made.push(session.weave(...call));
            return made.at(-1) as tf.Tensor2D;
          },
          dispose: () => {
            session.dispose();
            if (ownership === 'parts') tf.dispose(made);
          },
        };
      }),
      'passes gradients to every parameter, equal to finite differences',
    ],
    [
      'a parameter that does nothing',
      altered((weaver) => {
        const idle = tf.tidy(() => tf.variable(tf.zeros([2])));
        return {
          parameters: () => new Map([...weaver.parameters(), ['idle', idle]]),
          dispose: () => {
            idle.dispose();
            weaver.dispose();
          },
        };
      }),
      'passes gradients to every parameter, equal to finite differences',
    ],
    [
      'a gradient that is not the slope',
      alteredSession((session, { execution = eager }) => ({
        weave: (...call) => execution.run(steepened, [session.weave(...call)])[0] as tf.Tensor2D,
      })),
      'passes gradients to every parameter, equal to finite differences',
    ],
    [
      'a piece that is not the same when it is run again',
      alteredSession((session, { execution = eager, dropoutSeed }) => ({
        weave: (...call) => {
          const latents = session.weave(...call);
          if (dropoutSeed === undefined) return latents;
          return execution.run(([x]) => [tf.mul(x!, 1 + (draws++ % 7))], [latents])[0] as tf.Tensor2D;
        },
      })),
      'drops units by its seed alone, also when pieces are run again',
    ],
    [
      'another forward pass in training',
      alteredSession((session, { execution }) => ({
        weave: (kind, x, mask) => session.weave(execution === undefined ? kind : 'inference', x, mask),
      })),
      'weaves the same in training as in generation',
    ],
    [
      'parameters that are copied once and for all',
      altered((weaver) => {
        const copies = new Map([...weaver.parameters()].map(([name, v]) => [name, tf.tidy(() => tf.variable(v))]));
        return {
          parameters: () => copies,
          dispose: () => {
            tf.dispose([...copies.values()]);
            weaver.dispose();
          },
        };
      }),
      'follows its parameters, which keep their names',
    ],
    [
      'parameters that outlive it',
      altered(() => ({ dispose: () => undefined })),
      'frees its parameters, and nothing else, when it is disposed',
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
      'a weaver that does not know that it was trained',
      altered(() => ({ isTrained: () => Promise.resolve(false) })),
      'knows whether it was trained, if it can tell, also from its files',
    ],
  ];

  it.each(faults)('%s', async (_, create, name) => {
    expect(await failures({ create })).toContain(name);
    tf.dispose(kept.splice(0));
  });

  it('files that do not hold what was saved, and nothing where nothing is wrong', async () => {
    const load = async (folder: string) => {
      const weaver = await LatentWeaver.load(folder, base);
      tf.tidy(() => {
        weaver.weights.prompt.scale.assign(tf.tensor1d([1]));
      });
      return weaver;
    };
    expect(await failures({ load })).toEqual(['comes back from its files to the bit']);
    expect(await failures({ create: altered(() => ({})) })).toEqual([]);
  });
});
