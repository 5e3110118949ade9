// `memgen weave` as command lines: checkpoints, new weavers, what the page and the output say.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Random } from '@memgen/common';
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../../trigger/src/index.js';
import { LatentWeaver } from '../../../../weaver/src/index.js';
import { tinyWeaver } from '../../../../weaver/src/tiny-weaver.test-helper.js';
import { startBackend } from '../../backend/index.js';
import { MemGen } from '../../memgen/index.js';
import { loadReasoner } from '../../reasoner/index.js';
import { runCommand } from '../run-commands.test-helper.js';
import { weaveCommand } from './weave.js';

const question = 'Prices: 5 bowl, 11 clock. How much is a bowl?';
let root: string;
let [both, triggerOnly] = ['', ''];
let count = 0;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  root = await mkdtemp(join(tmpdir(), 'memgen-weave-'));
  [both, triggerOnly] = [join(root, 'both'), join(root, 'trigger')];
  const reasoner = await loadReasoner(modelFolder());
  const weaver = tinyWeaver(reasoner.decoder);
  const lora = { r: 2, alpha: 4, targetModules: ['q_proj'] };
  const trigger = LanguageModelTrigger.initialize(reasoner.decoder, { lora }, Random.fromSeed(3));
  await new MemGen({ reasoner, weaver, trigger }).save(both);
  await new MemGen({ reasoner, trigger }).save(triggerOnly);
  for (const part of [weaver, trigger, reasoner.decoder]) part.dispose();
});
afterAll(() => rm(root, { recursive: true }));

/** Runs the command with the classes of this repository. */
async function weave(words: readonly string[], input = '') {
  const before = tf.memory().numTensors;
  const path = join(root, `page-${count++}.html`);
  const stdin = new PassThrough();
  stdin.end(input);
  const load = () => Promise.resolve({ weaver: LatentWeaver, trigger: LanguageModelTrigger });
  const program = new Command('memgen').addCommand(weaveCommand(stdin, load).exitOverride()).exitOverride();
  const result = await runCommand(
    ['weave', ...words, '--html', path, '--backend', 'wasm', '--max-tokens', '24'],
    program,
  );
  expect(tf.memory().numTensors).toBe(before);
  return { ...result, path, page: result.code === 0 ? await readFile(path, 'utf8') : '' };
}

describe('memgen weave', () => {
  it('writes a page of a checkpoint, with the reasoner and the parts that it names', async () => {
    const { code, errors, out, path, page } = await weave([both, '--prompt', question, '--mode', 'weaver']);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(out).toMatch(/with memory: {4}[\s\S]*without memory: .*\\boxed\{5\}/);
    expect(out).toContain(`${path}: woven in at `);
    expect(page).toContain(question);
    expect(page).toContain('3 latents woven in');
    expect(page).not.toContain('Trigger: weave');
    expect(page).not.toContain('never trained');
    expect(page).not.toContain(root);
  });

  it('asks the trigger of a checkpoint that has one', async () => {
    const { page } = await weave([both, '--prompt', '-', '--max-points', '1'], question);
    expect(page).toContain('Trigger: weave');
    expect(page).toContain('weaver+trigger');
  });

  it('makes a new weaver over a model, and says what that is', async () => {
    const { code, page } = await weave(['--reasoner', modelFolder(), '--prompt', question, '--sentences']);
    expect(code).toBe(0);
    expect(page).toContain('never trained');
    expect(page).toContain('ends of sentences');
    expect((await weave([both, '--prompt', question, '--mode', 'random-weaver'])).page).toContain('never trained');
  });

  it.each<[string, string[], string]>([
    ['nothing to weave with', ['--prompt', 'x'], '--reasoner MODEL'],
    ['no prompt', ['--reasoner', 'x'], '--prompt'],
    ['an empty prompt', ['--reasoner', 'x', '--prompt', ''], 'the prompt is empty'],
    ['a checkpoint that is not there', ['/no/such/folder', '--prompt', 'x'], 'was not found'],
    ['a number that is none', ['--reasoner', 'x', '--prompt', 'x', '--max-points', '1.5'], 'whole number'],
  ])('refuses %s', async (_, words, message) => {
    expect(await weave(words)).toMatchObject({ code: 1, errors: expect.stringContaining(message) });
  });

  it('refuses a checkpoint without a weaver', async () => {
    expect(await weave([triggerOnly, '--prompt', 'x'])).toMatchObject({ code: 1, errors: expect.stringContaining('no weaver') }); // prettier-ignore
  });
});
