// The example of a whole run leaves what the training app leaves: manifest, metrics, checkpoint, answers, report.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadReasoner, openMemGen } from '@memgen/core';
import { listCheckpoints, readAnswers, readManifest, readMetrics } from '@memgen/runs';
import { modelFolder } from '@memgen/tiny-reasoner';
import { LatentWeaver } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainShopWeaver } from './train-weaver.js';

let parent: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'memgen-example-'));
});
afterAll(() => {
  rmSync(parent, { recursive: true });
});

it('trains a weaver, answers with and without it, and writes a report', async () => {
  const folder = join(parent, 'run');
  await trainShopWeaver(folder, { steps: 3, questions: 2 });
  expect(tf.memory().numTensors).toBe(0);

  expect(await readManifest(join(folder, 'manifest.json'))).toMatchObject({ name: 'shop-weaver', status: 'finished' });
  expect(readMetrics(folder).map(({ step }) => step)).toEqual([1, 2, 3]);
  const answers = readAnswers(folder);
  expect(answers.map(({ arm, row }) => `${arm} ${row}`)).toEqual(['before 0', 'before 1', 'after 0', 'after 1']);
  expect(answers[0]!.completion).not.toBe(answers[2]!.completion);
  const page = readFileSync(join(folder, 'report.html'), 'utf8');
  expect(page).toContain('Training loss');
  expect(page).toMatch(/\d of 2 answers right/);

  const [checkpoint] = await listCheckpoints(folder);
  const { decoder, origin } = await loadReasoner(modelFolder());
  const opened = await openMemGen(checkpoint!.path, origin);
  expect(opened.generation).toEqual({ maxInferencePoints: 0 });
  const weaver = await LatentWeaver.load(opened.folderOf('weaver'), decoder);
  expect(weaver.latentCounts.prompt).toBe(8);
  weaver.dispose();
  decoder.dispose();
});
