// Measures one backend; prints one JSON line per figure. Started by main.ts.
import { Random } from '@memgen/common';
import { AdamW, generate, loadReasoner, startBackend, trainingLoss, type Reasoner, type WovenRow } from '@memgen/core';
import { modelFolder } from '@memgen/tiny-reasoner';
import { LatentWeaver } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { measure, seconds, type Measurement } from './measurement.js';

interface Settings {
  backend: 'tensorflow' | 'wasm' | 'cpu' | 'webgpu';
  quick: boolean;
  model: string;
  only: string[];
}

const { backend, quick, model, only } = JSON.parse(process.argv[2]!) as Settings;
const repetitions = quick ? 1 : 3;
const random = Random.fromSeed(1);

function print(measurement: Measurement): void {
  process.stdout.write(`${JSON.stringify(measurement)}\n`);
}

function matrix(rows: number, columns: number): tf.Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => random.float() - 0.5),
    [rows, columns],
  );
}

async function measureProducts(): Promise<void> {
  for (const [m, k, n] of [
    [256, 576, 1536],
    [512, 2048, 2048],
    [1, 576, 49152],
  ] as const) {
    // prettier-ignore
    const [a, b] = [matrix(m, k), matrix(k, n)];
    const times = Math.max(3, Math.round(2e9 / (2 * m * k * n)));
    const figure = await measure({ name: `matmul ${m}x${k}x${n}`, backend, unit: 'GFLOP/s' }, repetitions, async () => {
      const taken = await seconds(() => {
        // Reading the result back is part of no product: one small read at the end makes sure that all are done.
        tf.tidy(() => {
          let product = tf.matMul(a, b);
          for (let i = 1; i < times; i++) product = tf.tidy(() => tf.matMul(a, b));
          tf.slice(product, [0, 0], [1, 1]).dataSync();
        });
      });
      return (2 * m * k * n * times) / taken / 1e9;
    });
    print(figure);
    tf.dispose([a, b]);
  }
}

/** Peak of the process so far. */
function memory(name: string): Measurement {
  const gibibytes = process.resourceUsage().maxRSS / 2 ** 20;
  return { name, backend, unit: 'GiB', median: gibibytes, minimum: gibibytes, maximum: gibibytes, repetitions: 1 };
}

function tokenIds(reasoner: Reasoner, count: number): number[] {
  return Array.from({ length: count }, () => random.int(Math.min(reasoner.tokenizer.vocabularySize, 700)));
}

async function measureGeneration(reasoner: Reasoner, weaver: LatentWeaver): Promise<void> {
  const prompt = tokenIds(reasoner, 256);
  const decoded = quick ? 16 : 64;
  if (only.includes('prefill')) {
    print(
      await measure({ name: 'prefill 256 tokens', backend, unit: 's' }, repetitions, () =>
        seconds(() => generate(reasoner, [prompt], { maxNewTokens: 1, endIds: [] })),
      ),
    );
  }
  const rate = async (rows: number, options: { weaver?: LatentWeaver }): Promise<number> => {
    const prompts = Array.from({ length: rows }, () => prompt.slice(0, 128));
    const settings = { maxNewTokens: decoded, endIds: [], ...options };
    const taken = await seconds(() => generate(reasoner, prompts, settings));
    return (rows * decoded) / taken;
  };
  for (const rows of [1, 4]) {
    if (only.includes('decode')) {
      const name = `generate ${decoded} after 128, batch ${rows}`;
      print(await measure({ name, backend, unit: 'tokens/s' }, repetitions, () => rate(rows, {})));
    }
    if (only.includes('woven')) {
      const name = `the same with latents, batch ${rows}`;
      print(await measure({ name, backend, unit: 'tokens/s' }, repetitions, () => rate(rows, { weaver })));
    }
  }
}

async function measureTraining(reasoner: Reasoner, weaver: LatentWeaver): Promise<void> {
  const rows = Array.from({ length: 4 }, (): WovenRow => {
    const ids = tokenIds(reasoner, 256);
    const points = [128, 150, 172, 194, 216, 238].map((index, i) => ({
      index,
      kind: i === 0 ? ('prompt' as const) : ('inference' as const),
    }));
    return { ids, labels: ids.map((id, i) => (i < 128 ? -100 : id)), points };
  });
  const parameters = weaver.parameters();
  const optimizer = new AdamW(parameters);
  const step = (gradientCheckpointing: boolean) => {
    const { gradients } = trainingLoss(reasoner.decoder, rows, { weaver, dropoutSeed: 1, gradientCheckpointing });
    optimizer.step(gradients, 1e-5);
    tf.dispose([...gradients.values()]);
  };
  for (const checkpointing of [true, false]) {
    const how = checkpointing ? 'recomputing' : 'keeping';
    const name = `weaver training step 4 x 256, 1 + 5 points, ${how} activations`;
    print(
      await measure({ name, backend, unit: 's' }, repetitions, () =>
        seconds(() => {
          step(checkpointing);
        }),
      ),
    );
    print(memory(`peak memory after ${how}`));
  }
  optimizer.dispose();
}

await startBackend({ backend });
if (only.includes('matmul')) await measureProducts();
const reasoner = await loadReasoner(model === 'tiny' ? modelFolder() : model);
const weaver = LatentWeaver.initialize(
  reasoner.decoder,
  reasoner.decoder.config.hiddenSize,
  { lora: { r: 16, alpha: 32, dropout: 0.1, targetModules: ['q_proj', 'v_proj'] } },
  random,
);
await measureGeneration(reasoner, weaver);
if (only.includes('training')) await measureTraining(reasoner, weaver);
print(memory('peak memory in all'));
