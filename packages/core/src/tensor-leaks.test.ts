// Every public call that makes tensors leaves none behind but what it returns, also when it fails half-way.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import {
  AdamW,
  accumulateGradients,
  attention,
  clipGradients,
  combineAdapters,
  combineOptimizers,
  Decoder,
  decoderParameters,
  disposeGradients,
  eager,
  evaluationLoss,
  exportAdapter,
  exportDecoderWeights,
  gatherRows,
  generate,
  importAdapter,
  initializeDecoderWeights,
  LabelledPlaces,
  languageModelLoss,
  layerNorm,
  linear,
  loadDecoderWeights,
  loadReasoner,
  logSumExp,
  LoraAdapter,
  mergeAdapter,
  Muon,
  orthogonalize,
  rmsNorm,
  runOne,
  saveDecoderWeights,
  startBackend,
  StepDecoder,
  streamGenerate,
  swiglu,
  Tape,
  tokenLoss,
  tokenLossWithGradients,
  trainingLoss,
  wovenForward,
  type GenerateOptions,
  type NamedTensor,
  type Weaver,
} from './index.js';
import { variedRows } from './memgen/woven-rows.test-helper.js';
import { busyAdapter } from './model/lora.test-helper.js';
import { frozenDecoder, memorySource, randomIds, tinyConfig } from './model/tiny-decoder.test-helper.js';
import { expectNothingLeft, expectNothingLeftByFailedReads } from './tensor-leaks.test-helper.js';
import { smallTokenizer } from './text/__fixtures__/small-tokenizer.js';

const config = tinyConfig();
const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'down_proj'] };
const prompts = [randomIds(7, 1), randomIds(3, 2), randomIds(5, 3)];
const sequences = prompts.map((ids) => ({ ids, labels: ids }));

let decoder: Decoder;
let weaver: Weaver;
let adapter: LoraAdapter;
let stored: NamedTensor[];
let folder: string;
/** Inputs of the operations, `x [6, 16]`. */
let x: tf.Tensor2D;
let vector: tf.Tensor1D;
let heads: tf.Tensor4D;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  folder = await mkdtemp(join(tmpdir(), 'memgen-leaks-'));
  decoder = await frozenDecoder(config);
  weaver = tinyWeaver(decoder);
  adapter = busyAdapter(config, lora);
  stored = await exportDecoderWeights(decoder.weights, config);
  x = tf.tensor2d(values(96), [6, 16]);
  vector = tf.tensor1d(values(16));
  heads = tf.tensor4d(values(96), [1, 2, 6, 8]);
  // The step decoder of a reasoner is made once, at its first generation, and lives as long as it.
  await generateWith({});
});
afterAll(async () => {
  weaver.dispose();
  adapter.dispose();
  decoder.dispose();
  tf.dispose([x, vector, heads]);
  await rm(folder, { recursive: true });
});

function values(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.3 + 0.2));
}

function generateWith(options: Partial<GenerateOptions>): Promise<unknown> {
  return generate({ decoder, tokenizer: smallTokenizer() }, prompts, { maxNewTokens: 6, endIds: [], ...options });
}

/** A weaver that fails at the second call of a session, after the first has made latents. */
function failingWeaver(): Weaver {
  return {
    latentCounts: weaver.latentCounts,
    parameters: () => weaver.parameters(),
    save: () => Promise.resolve(),
    dispose: () => undefined,
    begin: (options) => {
      const session = weaver.begin(options);
      let calls = 0;
      return {
        weave: (kind, embeddings, mask) => {
          if (calls++ > 0) throw new Error('the weaver failed');
          return session.weave(kind, embeddings, mask);
        },
        select: (rows) => {
          session.select(rows);
        },
        dispose: () => {
          session.dispose();
        },
      };
    },
  };
}

const operations: Record<string, () => unknown> = {
  attention: () => attention(heads, heads, heads, undefined),
  gatherRows: () => gatherRows(x, [0, 3, 3]),
  layerNorm: () => layerNorm(x, vector, vector),
  linear: () => linear(x, decoder.weights.layers[0]!.output),
  logSumExp: () => logSumExp(x),
  orthogonalize: () => orthogonalize(x),
  rmsNorm: () => rmsNorm(x, vector, 1e-6),
  runOne: () => runOne(eager, ([x]) => tf.square(tf.square(x!)), [x]),
  swiglu: () => swiglu(x),
  tokenLoss: () => tokenLoss(x, [1, 2, 3, 4, 5, 6], decoder.weights.head),
};

describe('operations', () => {
  it.each(Object.entries(operations))('%s', (_, work) => expectNothingLeft(work));

  it('tokenLossWithGradients', () =>
    expectNothingLeft(() => {
      const { loss, hiddenGradient, ...others } = tokenLossWithGradients(x, [1, 2, 3, 4, 5, 6], decoder.weights.head);
      return [loss, hiddenGradient, ...Object.values(others).filter((value) => value instanceof tf.Tensor)];
    }));

  it('gradients through each', () =>
    expectNothingLeft(() =>
      tf.grad((x: tf.Tensor) =>
        tokenLoss(
          rmsNorm(gatherRows(swiglu(tf.concat([x, x], 1) as tf.Tensor2D), [0, 1]), vector, 1e-6) as tf.Tensor2D,
          [1, 2],
          decoder.weights.head,
        ),
      )(x),
    ));
});

describe('models', () => {
  it('forward, cache and logits', () =>
    expectNothingLeft(() => {
      const cache = decoder.createCache(1);
      const logits = tf.tidy(() =>
        decoder.logits(decoder.forward(decoder.embed(prompts[0]!), [prompts[0]!.map(() => 1)], { cache })),
      );
      cache.select([0, 0]).dispose();
      cache.dispose();
      return logits;
    }));

  it('new, loaded, exported and merged weights', () =>
    expectNothingLeft(async () => {
      const made = new Decoder(config, initializeDecoderWeights(config, Random.fromSeed(1)));
      await exportDecoderWeights(made.weights, config);
      const loaded = new Decoder(config, await loadDecoderWeights(memorySource(stored), config));
      const merged = await mergeAdapter(loaded, adapter);
      for (const model of [made, loaded, merged]) model.dispose();
    }));

  it('weights that lack the last tensor, or fail while they are read', () =>
    expectNothingLeft(async () => {
      const last = stored.filter(({ name }) => name !== 'model.norm.weight');
      await expect(loadDecoderWeights(memorySource(last), config)).rejects.toThrow();
      const source = memorySource(stored);
      let reads = 0;
      const failing = {
        ...source,
        readFloat32: (name: string) =>
          reads++ < 9 ? source.readFloat32(name) : Promise.reject(new Error('the disk failed')),
      };
      await expect(loadDecoderWeights(failing, config)).rejects.toThrow('the disk failed');
    }));

  it('adapters: new, exported, imported, combined', () =>
    expectNothingLeft(async () => {
      const made = LoraAdapter.initialize(config, lora, Random.fromSeed(2));
      const imported = importAdapter(config, await exportAdapter(made), 'here');
      const combined = combineAdapters([{ adapter: made }, { adapter: imported, weight: -1 }]);
      for (const one of [made, imported, combined]) one.dispose();
    }));

  it('adapters that do not fit', () =>
    expectNothingLeft(async () => {
      const { config: peft, modules } = await exportAdapter(adapter);
      const [last, module] = [...modules].at(-1)!;
      const wrong = { config: peft, modules: new Map(modules).set(last, { ...module, rank: 3 }) };
      expect(() => importAdapter(config, wrong, 'here')).toThrow(expect.objectContaining({ code: 'adapter-shape' }));
      const other = tinyConfig({ hidden_size: 32 });
      const foreign = LoraAdapter.initialize(other, lora, Random.fromSeed(2));
      expect(() => combineAdapters([{ adapter }, { adapter: foreign }])).toThrow();
      await expect(mergeAdapter(decoder, foreign)).rejects.toThrow();
      await expect(generateWith({ adapter: foreign })).rejects.toThrow();
      foreign.dispose();
    }));

  it('files: saved, and folders that are broken', () =>
    expectNothingLeft(async () => {
      await saveDecoderWeights(decoder, folder);
      await writeFile(join(folder, 'config.json'), '{"model_type":"llama"}');
      await expect(loadReasoner(folder)).rejects.toThrow();
    }));
});

describe('training', () => {
  it('the loss of a language model and its gradients', () =>
    expectNothingLeft(() => {
      const { value, grads } = tf.variableGrads(
        () => languageModelLoss(decoder, sequences, { adapter }).loss,
        [...adapter.parameters().values()],
      );
      return [value, ...Object.values(grads)];
    }));

  it('the loss of a language model outside of a tidy', () =>
    expectNothingLeft(() => tf.tidy(() => languageModelLoss(decoder, sequences).loss)));

  it.each([true, false])('woven rows (gradient checkpointing %s)', (gradientCheckpointing) =>
    expectNothingLeft(async () => {
      await evaluationLoss(decoder, variedRows, weaver);
      const { gradients } = await trainingLoss(decoder, variedRows, { weaver, gradientCheckpointing, dropoutSeed: 3 });
      return [...gradients.values()];
    }),
  );

  it('woven rows on a tape of the caller', () =>
    expectNothingLeft(() => {
      const tape = new Tape();
      const result = wovenForward(decoder, variedRows, { execution: tape, weaver });
      const places = new LabelledPlaces(variedRows, result);
      tape.run(([a, b]) => [places.hidden(a as tf.Tensor2D, b as tf.Tensor2D)], [result.prompt, result.completion]);
      tape.dispose();
    }));

  it('woven rows without a weaver, and with one that fails', () =>
    expectNothingLeft(async () => {
      const missing = { code: 'weaver-missing' };
      await expect(trainingLoss(decoder, variedRows)).rejects.toMatchObject(missing);
      await expect(evaluationLoss(decoder, variedRows)).rejects.toMatchObject(missing);
      await expect(trainingLoss(decoder, variedRows, { weaver: failingWeaver() })).rejects.toThrow('the weaver failed');
      await expect(evaluationLoss(decoder, variedRows, failingWeaver())).rejects.toThrow('the weaver failed');
    }));

  it('losses and norms that cannot be read', async () => {
    const step = async () => {
      await evaluationLoss(decoder, variedRows, weaver);
      const { gradients } = await trainingLoss(decoder, variedRows, { weaver });
      try {
        await clipGradients(gradients, 1);
        return [...gradients.values()];
      } catch (error) {
        disposeGradients(gradients);
        throw error;
      }
    };
    expect(await expectNothingLeftByFailedReads(step)).toBe(3);
  });

  it('tokens outside of the vocabulary', () =>
    expectNothingLeft(async () => {
      const [row] = variedRows;
      const wrong = [{ ...row!, ids: row!.ids.map(() => 999) }];
      await expect(trainingLoss(decoder, wrong, { weaver })).rejects.toThrow();
      await expect(evaluationLoss(decoder, wrong, weaver)).rejects.toThrow();
    }));

  it('gradients: accumulated, clipped, disposed; optimizers: steps, states, also wrong ones', () =>
    expectNothingLeft(async () => {
      const weights = initializeDecoderWeights(config, Random.fromSeed(4));
      const made = new Decoder(config, weights);
      const parameters = decoderParameters(weights);
      const matrices = new Map([...parameters].filter(([name]) => /\.weight$/.test(name)));
      const rest = new Map([...parameters].filter(([name]) => !matrices.has(name)));
      const optimizer = combineOptimizers([{ optimizer: new Muon(matrices) }, { optimizer: new AdamW(rest) }]);
      const compute = () => {
        const { value, grads } = tf.variableGrads(() => languageModelLoss(made, sequences).loss);
        value.dispose();
        const byName = new Map([...parameters.values()].map((variable) => [variable.name, variable]));
        return new Map(
          Object.entries(grads).flatMap(([name, gradient]) => {
            const variable = byName.get(name);
            if (variable === undefined) gradient.dispose();
            return variable === undefined ? [] : [[variable, gradient] as const];
          }),
        );
      };
      const gradients = compute();
      accumulateGradients(gradients, compute());
      await clipGradients(gradients, 1e-3);
      optimizer.step(gradients, 0.1);
      const state = await optimizer.exportState();
      optimizer.importState(state);
      const [name] = state.keys();
      const wrong = new Map(state).set(name!, { shape: [1], data: new Float32Array(1) });
      expect(() => {
        optimizer.importState(wrong);
      }).toThrow();
      disposeGradients(gradients);
      optimizer.dispose();
      made.dispose();
    }));
});

describe('generation', () => {
  it.each(['step', 'backend'] as const)('plain, adapted and woven, by %s', (decoding) =>
    expectNothingLeft(async () => {
      await generateWith({ decoding });
      await generateWith({ decoding, adapter });
      await generateWith({ decoding, weaver });
    }),
  );

  it('that is left early or aborted', () =>
    expectNothingLeft(async () => {
      const reasoner = { decoder, tokenizer: smallTokenizer() };
      const stream = streamGenerate(reasoner, prompts, { maxNewTokens: 6, weaver });
      await stream.next();
      await stream.return([]);
      await generateWith({ weaver, signal: AbortSignal.abort() });
    }));

  it('that fails half-way', () =>
    expectNothingLeft(async () => {
      const reasoner = { decoder, tokenizer: smallTokenizer() };
      const broken = () => {
        throw new Error('the listener failed');
      };
      for (const decoding of ['step', 'backend'] as const) {
        await expect(generateWith({ decoding, weaver, _onLogits: broken })).rejects.toThrow('the listener failed');
        // Hot enough that commas come and the weaver is asked again.
        const points = { decoding, weaver: failingWeaver(), maxNewTokens: 60, sampling: { temperature: 6 } };
        await expect(generateWith(points)).rejects.toThrow('the weaver failed');
        await expect(generate(reasoner, [[1, 999]], { decoding, maxNewTokens: 2 })).rejects.toThrow();
      }
      await expect(generate(reasoner, [[]], { maxNewTokens: 2 })).rejects.toThrow();
    }));

  it('by a step decoder of its own', () =>
    expectNothingLeft(async () => {
      const step = await StepDecoder.create(decoder);
      const cache = decoder.createCache(1);
      tf.tidy(() => {
        decoder.forward(decoder.embed(prompts[0]!), [prompts[0]!.map(() => 1)], { cache });
      });
      const taken = await step.importCache(cache);
      taken.dispose();
      cache.dispose();
      const parts = decoder.createCache(1, 'parts');
      await expect(step.importCache(parts)).rejects.toThrow();
      parts.dispose();
      step.dispose();
    }));
});
