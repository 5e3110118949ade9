// `memgen generate` as command lines, with the small model of this repository.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Random } from '@memgen/common';
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../backend/index.js';
import { generate } from '../../generation/index.js';
import { LoraAdapter, saveAdapter } from '../../model/index.js';
import { loadReasoner, type Reasoner } from '../../reasoner/index.js';
import { ChatTemplate } from '../../text/index.js';
import { buildProgram } from '../program.js';
import { runCommand } from '../run-commands.test-helper.js';

const question = 'Prices: 5 bowl, 11 clock. How much is a bowl?';
const wasm = ['--backend', 'wasm'];
let folder: string;
let reasoner: Reasoner;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await loadReasoner(modelFolder());
  folder = await mkdtemp(join(tmpdir(), 'memgen-generate-'));
});
afterAll(async () => {
  reasoner.decoder.dispose();
  await rm(folder, { recursive: true });
});

async function expected(prompt: string, options: Parameters<typeof generate>[2]): Promise<string[]> {
  const rows = await generate(reasoner, [reasoner.tokenizer.encode(prompt)], options);
  return rows.map(({ text }) => text);
}

function chatPrompt(content: string): string {
  return ChatTemplate.ofTokenizer(reasoner.tokenizer).render([{ role: 'user', content }], {
    addGenerationPrompt: true,
  });
}

describe('memgen generate', () => {
  it("answers a message by the model's own template, and leaves no tensor behind", async () => {
    const before = tf.memory().numTensors;
    const result = await runCommand(['generate', modelFolder(), '--prompt', question, ...wasm]);
    const [answer] = await expected(chatPrompt(question), { maxNewTokens: 512 });
    expect(answer).not.toBe('');
    expect(result).toEqual({ code: 0, out: `${answer}\n`, errors: '' });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('continues a text as it stands, read from the standard input', async () => {
    const words = ['generate', modelFolder(), '--prompt', '-', '--raw', '--max-tokens', '12', ...wasm];
    const { code, out } = await runCommand(words, buildProgram(Readable.from(['What ', 'is'])));
    expect([code, out]).toEqual([0, `${(await expected('What is', { maxNewTokens: 12 }))[0]}\n`]);
  });

  it('samples by its seed, several times', async () => {
    const words = ['generate', modelFolder(), '--prompt', 'What', '--raw', '--max-tokens', '9', ...wasm];
    const sampling = ['--top-k', '20', '--top-p', '0.9', '--min-p', '0.01', '--repetition-penalty', '1.2'];
    const { out } = await runCommand([...words, ...sampling, '--seed', '5', '--samples', '2']);
    const texts = await expected('What', {
      maxNewTokens: 9,
      samplesPerPrompt: 2,
      random: Random.fromSeed(5),
      sampling: { temperature: 1, topK: 20, topP: 0.9, minP: 0.01, repetitionPenalty: 1.2 },
    });
    expect(out).toBe(`[1] ${texts[0]}\n[2] ${texts[1]}\n`);
    expect((await runCommand([...words, ...sampling, '--seed', '6', '--samples', '2'])).out).not.toBe(out);
  });

  it('prints JSON, with the exact prompt', async () => {
    const words = ['generate', modelFolder(), '--prompt', question, '--system', 'Be brief.', '--json', ...wasm];
    const { out } = await runCommand([...words, '--stop', '.', 'zzz']);
    const report = JSON.parse(out) as { prompt: string; samples: Record<string, unknown>[] };
    expect(report.prompt).toContain('<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nPrices');
    expect(report.samples).toHaveLength(1);
    const { text, ids, finished, logProbabilities } = report.samples[0]!;
    expect(text).not.toContain('.');
    expect(['stop', 'end']).toContain(finished);
    expect(logProbabilities).toHaveLength((ids as number[]).length);
  });

  it('uses an adapter', async () => {
    const { config } = reasoner.decoder;
    const adapter = LoraAdapter.initialize(config, { r: 2, alpha: 64, targetModules: ['q_proj', 'down_proj'] }, Random.fromSeed(1)); // prettier-ignore
    const random = Random.fromSeed(2);
    for (const { b } of adapter.modules.values()) {
      tf.tidy(() => {
        b.assign(
          tf.tensor2d(
            Float32Array.from({ length: b.size }, () => random.normal()),
            b.shape,
          ),
        );
      });
    }
    await saveAdapter(folder, adapter);
    const words = ['generate', modelFolder(), '--prompt', 'What', '--raw', '--max-tokens', '9', ...wasm];
    const { out } = await runCommand([...words, '--adapter', folder]);
    expect(out).toBe(`${(await expected('What', { maxNewTokens: 9, adapter }))[0]}\n`);
    expect(out).not.toBe((await runCommand(words)).out);
    adapter.dispose();
  });

  it('fails without a stack, saying what to do', async () => {
    const words = ['generate', modelFolder(), '--prompt', 'x', ...wasm];
    for (const [more, message] of [
      [['--top-p', '2'], 'topP is out of range'],
      [['--samples', '0'], 'samplesPerPrompt is out of range'],
      [['--temperature', 'hot'], 'A number is expected'],
      [['--raw', '--system', 'x'], 'cannot be used with'],
      [['--backend', 'abacus'], 'Allowed choices'],
      [['--adapter', join(folder, 'nothing')], 'nothing'],
    ] as const) {
      const { code, out, errors } = await runCommand([...words, ...more]);
      expect([code, out.trim()]).toEqual([1, '']);
      expect(errors).toContain(message);
      expect(errors).not.toMatch(/^ +at /m);
    }
    const empty = ['generate', modelFolder(), '--prompt', '-', ...wasm];
    expect((await runCommand(empty, buildProgram(Readable.from([])))).errors).toContain('the prompt is empty');
    const missing = await runCommand(['generate', join(folder, 'no-model'), '--prompt', 'x', ...wasm]);
    expect(missing).toMatchObject({ code: 1, errors: expect.stringContaining('was not found') });
    expect((await runCommand(['generate', modelFolder()])).errors).toContain('--prompt');
  });
});
