// Where parts start: run folders and checkpoints, and those that belong to another reasoner.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import { loadReasoner, LoraAdapter, startBackend, type Reasoner } from '@memgen/core';
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExperiment } from '../config/load-experiment.js';
import { writeParts } from './checkpoint-content.js';
import { disposeParts, makeParts, newWeaver } from './parts.js';
import { findCheckpoint } from './starting-point.js';

const lora = { r: 2, alpha: 4, dropout: 0 };
const experimentOf = (settings: object) =>
  parseExperiment({ name: 'a', data: { task: 'tiny-shop' }, ...settings }, 'test').experiment;

let parent: string;
let reasoner: Reasoner;
let weaverFolder: string;
let adapterFolder: string;
beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  parent = mkdtempSync(join(tmpdir(), 'memgen-start-'));
  reasoner = await loadReasoner(modelFolder());
  const folder = (name: string) => {
    mkdirSync(join(parent, name));
    return join(parent, name);
  };
  [weaverFolder, adapterFolder] = [folder('weaver'), folder('adapter')];
  const ofWeaver = experimentOf({ weaver: { prompt_latents_len: 3, lora } });
  const weaver = await newWeaver(ofWeaver, reasoner);
  await writeParts(weaverFolder, { experiment: ofWeaver, reasoner, parts: { weaver } });
  const ofAdapter = experimentOf({ training: { train: 'adapter' } });
  const adapter = LoraAdapter.initialize(reasoner.decoder.config, { ...lora, targetModules: ['q_proj'] }, Random.fromSeed(1)); // prettier-ignore
  await writeParts(adapterFolder, { experiment: ofAdapter, reasoner, parts: { adapter } });
  disposeParts({ weaver, adapter });
});
afterAll(() => {
  reasoner.decoder.dispose();
  rmSync(parent, { recursive: true });
});

/** A copy of a checkpoint that says that it was trained for another model. */
function ofAnotherReasoner(folder: string, name: string): string {
  const copy = `${folder}-other`;
  cpSync(folder, copy, { recursive: true });
  const path = join(copy, name);
  const text = readFileSync(path, 'utf8')
    .replace(reasoner.origin.configHash, 'f'.repeat(64))
    .replaceAll(reasoner.origin.source, 'someone/model-b');
  writeFileSync(path, text);
  return copy;
}

describe('from', () => {
  it('takes parts with their own sizes', async () => {
    const parts = await makeParts(
      experimentOf({ weaver: { from: weaverFolder }, adapter: { from: adapterFolder } }),
      reasoner,
    );
    expect(parts.weaver!.latentCounts.prompt).toBe(3);
    expect(parts.adapter!.config.r).toBe(2);
    disposeParts(parts);
  });

  it('refuses parts of another reasoner with the names of both, and frees the others', async () => {
    const before = tf.memory().numTensors;
    const other = ofAnotherReasoner(weaverFolder, 'memgen.json');
    await expect(makeParts(experimentOf({ weaver: { from: other } }), reasoner)).rejects.toMatchObject({
      code: 'checkpoint-base',
      got: expect.stringContaining(reasoner.origin.source),
      expected: expect.stringContaining('someone/model-b'),
    });
    const adapter = ofAnotherReasoner(adapterFolder, 'adapter-base.json');
    const both = experimentOf({ weaver: { from: weaverFolder }, adapter: { from: adapter } });
    await expect(makeParts(both, reasoner)).rejects.toMatchObject({
      code: 'checkpoint-base',
      expected: expect.stringContaining('someone/model-b'),
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is told apart from folders that hold nothing of the kind', async () => {
    expect(await findCheckpoint(weaverFolder)).toBe(weaverFolder);
    await expect(findCheckpoint(join(parent, 'none'))).rejects.toMatchObject({
      code: 'start-missing',
      got: 'no such folder',
    });
    await expect(findCheckpoint(parent)).rejects.toMatchObject({ code: 'start-missing', got: 'another folder' });
  });
});
