// `pnpm pretrain`: makes the tiny reasoner from nothing. Interrupt it with Ctrl-C; the same command goes on.
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MemGenError, Random, replaceFolder } from '@memgen/common';
import {
  Decoder,
  initializeDecoderWeights,
  readDecoderConfig,
  saveDecoderWeights,
  startBackend,
  Tokenizer,
} from '@memgen/core';
import { loadTrainingState, pretrain, saveTrainingState, setPreviousTokenHead, tieKeysToQueries } from '@memgen/sft';
import { Batches } from '../src/pretraining/batches.js';
import { architecture, recipe } from '../src/pretraining/recipe.js';
import { createPretrainingRows } from '../src/world/pretraining-rows.js';
import { measureSkills } from './measure-skills.js';
import { writeModelCard } from './model-card.js';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: fileURLToPath(new URL('../model/', import.meta.url)) },
    state: { type: 'string', default: fileURLToPath(new URL('../../../runs/pretraining/', import.meta.url)) },
    steps: { type: 'string', default: String(recipe.steps) },
    backend: { type: 'string', default: 'auto' },
    'skill-rows': { type: 'string', default: '300' },
  },
});

async function main(): Promise<void> {
  const steps = Number(values.steps);
  const backend = await startBackend({ backend: values.backend as 'auto' });
  console.log(`backend ${backend.name} (${backend.reason})`);
  const { out } = values;
  const tokenizer = await Tokenizer.fromFolder(out);
  const config = readDecoderConfig(architecture);
  const random = Random.fromSeed(recipe.seed);
  const decoder = new Decoder(
    config,
    initializeDecoderWeights(config, random.fork('weights'), {
      embeddingDeviation: recipe.embeddingDeviation,
      residual: 'zero',
    }),
  );
  tieKeysToQueries(decoder, recipe.keyTie);
  await setPreviousTokenHead(decoder, recipe.previousTokenHead);

  let step = 0;
  const rows = createPretrainingRows({
    seed: recipe.seed,
    mix: () => (step < recipe.firstPart * steps ? recipe.firstMix : recipe.mainMix),
  });
  const batches = new Batches({
    rows,
    encode: (text) => tokenizer.encode(text),
    batchRows: recipe.batchRows,
    random: random.fork('batches'),
  });

  const stateFolder = join(values.state, `steps-${steps}`);
  const resume = existsSync(stateFolder) ? await loadTrainingState(stateFolder) : undefined;
  if (resume !== undefined) console.log(`going on from step ${resume.step}`);
  const interrupt = new AbortController();
  process.once('SIGINT', () => {
    console.log('finishing the step in hand and saving ...');
    interrupt.abort();
  });
  const began = performance.now();
  let tokens = 0;
  let lossSum = 0;
  const outcome = await pretrain(decoder, {
    steps,
    batch: (wanted) => {
      let batch = batches.batch(step);
      // The mix depends on the step that asks, so that skipping ahead draws the same rows.
      while (step < wanted) {
        step++;
        batch = batches.batch(step);
      }
      step = wanted + 1;
      return batch;
    },
    schedule: {
      kind: 'linear',
      warmup: recipe.warmupSteps,
      hold: Math.round((1 - recipe.decayPart) * steps) - recipe.warmupSteps,
    },
    muon: recipe.muon,
    adamW: recipe.adamW,
    clipNorm: recipe.clipNorm,
    signal: interrupt.signal,
    ...(resume !== undefined && { resume }),
    onStep: (report) => {
      tokens += report.readTokens;
      lossSum += report.loss;
      if (report.step % 50 !== 0) return;
      const seconds = (performance.now() - began) / 1000;
      const done = report.step - (resume?.step ?? 0);
      const left = (seconds / done) * (steps - report.step);
      console.log(
        `step ${report.step}/${steps}  loss ${(lossSum / 50).toFixed(4)}  ${Math.round(tokens / seconds)} tokens/s  ` +
          `${Math.ceil(left / 60)} min left`,
      );
      lossSum = 0;
    },
    checkpoint: {
      due: (done) => done % 500 === 0,
      save: (done, optimizer, parameters) =>
        replaceFolder(stateFolder, (folder) => saveTrainingState(folder, done, optimizer, parameters)),
    },
  });
  if (!outcome.complete) {
    console.log(`stopped at step ${outcome.step}; the same command goes on from there`);
    return;
  }
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'config.json'), `${JSON.stringify(architecture, undefined, 2)}\n`);
  await saveDecoderWeights(decoder, out, { dtype: 'BF16' });
  const skills = await measureSkills(out, { rowsPerFamily: Number(values['skill-rows']), seed: 1 });
  await writeModelCard(out, { steps, skills, backend: backend.name });
  console.table(Object.fromEntries(skills.map(({ family, accuracy }) => [family, accuracy])));
  await rm(stateFolder, { recursive: true, force: true });
}

try {
  await main();
} catch (error) {
  if (!MemGenError.isInstance(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
