// `memgen chat` through a pipe, with the small model of this repository.
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ChatMessage } from '@memgen/common';
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, afterAll, describe, expect, it, vi } from 'vitest';
import { startBackend } from '../../backend/index.js';
import { generate } from '../../generation/index.js';
import { loadReasoner, type Reasoner } from '../../reasoner/index.js';
import { ChatTemplate } from '../../text/index.js';
import { buildProgram } from '../program.js';
import { runProgram } from '../run-program.js';
import { runCommand } from '../run-commands.test-helper.js';

const words = ['chat', modelFolder(), '--backend', 'wasm', '--max-tokens', '16'];
const questions = ['Prices: 5 bowl, 11 clock. How much is a bowl?', 'And the clock?'];
let reasoner: Reasoner;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await loadReasoner(modelFolder());
});
afterAll(() => {
  reasoner.decoder.dispose();
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What the model answers to each of the messages in turn. */
async function answersTo(contents: readonly string[], messages: ChatMessage[] = []): Promise<string[]> {
  const template = ChatTemplate.ofTokenizer(reasoner.tokenizer);
  const answers: string[] = [];
  for (const content of contents) {
    messages.push({ role: 'user', content });
    const prompt = template.render(messages, { addGenerationPrompt: true });
    const [row] = await generate(reasoner, [reasoner.tokenizer.encode(prompt)], { maxNewTokens: 16 });
    messages.push({ role: 'assistant', content: row!.text });
    answers.push(row!.text);
  }
  return answers;
}

describe('memgen chat', () => {
  it('keeps the conversation, forgets it on /reset, and leaves on /exit', async () => {
    const lines = [...questions, '', '/reset', questions[1], '/exit', 'never asked'];
    const before = tf.memory().numTensors;
    const result = await runCommand(words, buildProgram(Readable.from([lines.join('\n')])));
    const expected = [...(await answersTo(questions)), ...(await answersTo([questions[1]!]))];
    expect(result).toEqual({ code: 0, out: expected.map((answer) => `${answer}\n`).join(''), errors: '' });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps the system message, and ends with its input', async () => {
    const input = Readable.from([`${questions[0]}\n/reset\n${questions[0]}\n`]);
    const { code, out } = await runCommand([...words, '--system', 'Be brief.'], buildProgram(input));
    const [answer] = await answersTo([questions[0]!], [{ role: 'system', content: 'Be brief.' }]);
    expect([code, out]).toEqual([0, `${answer}\n${answer}\n`]);
  });

  it('stops an answer on the first Ctrl-C and leaves on the second', async () => {
    const input = new PassThrough();
    let [out, errors] = ['', ''];
    let asked = 0;
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true));
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      // With the first piece of an answer; then, when it has ended, another message, and Ctrl-C twice.
      if (out === text) process.emit('SIGINT');
      if (text === '\n') asked++;
      if (text === '\n' && asked === 1) input.write(`${questions[1]}\n`);
      if (text === '\n' && asked === 2) {
        void setImmediate().then(() => {
          process.emit('SIGINT');
          expect(errors).toContain('/exit');
          process.emit('SIGINT');
        });
      }
      return true;
    });
    input.write(`${questions[0]}\n`);
    const listeners = process.listenerCount('SIGINT');
    const code = await runProgram(buildProgram(input), ['node', 'memgen', ...words]);
    const [whole] = await answersTo([questions[0]!]);
    const [first] = out.split('\n');
    expect(code).toBe(0);
    expect(whole!.startsWith(first!)).toBe(true);
    expect(first!.length).toBeLessThan(whole!.length);
    // What had been said stays in the conversation.
    const said: ChatMessage[] = [{ role: 'user', content: questions[0]! }, { role: 'assistant', content: first! }]; // prettier-ignore
    expect(out).toBe(`${first}\n${(await answersTo([questions[1]!], said))[0]}\n`);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
  });

  it('fails without a stack', async () => {
    const { code, errors } = await runCommand(['chat', '/nowhere/at/all'], buildProgram(Readable.from([])));
    expect(code).toBe(1);
    expect(errors).toContain('was not found');
    expect(errors).not.toMatch(/^ +at /m);
  });
});
