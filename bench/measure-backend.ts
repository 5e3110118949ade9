// Measures one backend; prints one JSON line per figure. Started by main.ts.
import { Random } from '@memgen/common';
import {
  AdamW,
  generate,
  loadReasoner,
  startBackend,
  trainingLoss,
  type GeneratedRow,
  type Reasoner,
  type WovenRow,
} from '@memgen/core';
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
/** The model that the official code was measured with. */
const isSmolLm = /smollm2-135m/i.test(model);
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

/** Plain sentences, so that what a model goes on to write has sentence ends to weave at. */
const sentence = 'A baker sells bread and cakes, counts the coins of the day, and writes the sum into a book. ';

function tokenIds({ tokenizer }: Reasoner, count: number): number[] {
  return tokenizer.encode(sentence.repeat(count)).slice(0, count);
}

async function measureGeneration(reasoner: Reasoner, weaver: LatentWeaver): Promise<void> {
  const prompt = tokenIds(reasoner, 256);
  const decoded = 128;
  if (only.includes('prefill')) {
    print(
      await measure({ name: 'prefill 256 tokens', backend, unit: 's' }, repetitions, () =>
        seconds(() => generate(reasoner, [prompt], { maxNewTokens: 1, endIds: [] })),
      ),
    );
  }
  const officialPlain = [13.4, 30.7];
  const officialWoven = [9.0, 13.7];
  for (const [i, rows] of [1, 4].entries()) {
    const prompts = Array.from({ length: rows }, () => prompt.slice(0, 128));
    const settings = { maxNewTokens: decoded, endIds: [] };
    if (only.includes('decode')) {
      const facts = { name: `generate ${decoded} after 128, batch ${rows}`, backend, unit: 'tokens/s' };
      const work = async () => (rows * decoded) / (await seconds(() => generate(reasoner, prompts, settings)));
      print({ ...(await measure(facts, repetitions, work)), ...(isSmolLm && { official: officialPlain[i]! }) });
    }
    if (only.includes('woven')) {
      const facts = { name: `the same with latents at 1 + 5 points, batch ${rows}`, backend, unit: 'tokens/s' };
      let points = 0;
      const work = async () => {
        let made: GeneratedRow[] = [];
        const taken = await seconds(async () => {
          made = await generate(reasoner, prompts, { ...settings, weaver });
        });
        points = made[0]!.augmentations.filter((place) => place === 1).length;
        return (rows * decoded) / taken;
      };
      const figure = await measure(facts, repetitions, work);
      print({
        ...figure,
        name: facts.name.replace('1 + 5', `1 + ${points - 1}`),
        ...(isSmolLm && { official: officialWoven[i]! }),
      });
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
    const figure = await measure({ name, backend, unit: 's' }, repetitions, () =>
      seconds(() => {
        step(checkpointing);
      }),
    );
    print({ ...figure, ...(isSmolLm && { official: 33.6 }) });
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
