// A measuring process: its figures, its failure, its end on request.
import { expect, it } from 'vitest';
import type { Message } from './message.js';
import { runJob } from './run-job.js';

async function runScript(script: string, signal?: AbortSignal) {
  const messages: Message[] = [];
  const problem = await runJob(
    { program: process.execPath, words: ['-e', script] },
    (message) => {
      messages.push(message);
    },
    signal,
  );
  return { messages, problem };
}

it('passes on figures and failures, and nothing else', async () => {
  const figure = '{"figure":{"measure":"load","unit":"s","backend":"wasm","samples":[1]}}';
  const failure = '{"failure":{"name":"decoding","problem":"no room"}}';
  const script = `console.log('native words'); console.log('${figure}'); console.log('${failure}')`;
  const { messages, problem } = await runScript(script);
  expect(messages).toMatchObject([{ figure: { measure: 'load' } }, { failure: { problem: 'no room' } }]);
  expect(problem).toBeUndefined();
});

it('keeps what a process said before it failed, and says why it did', async () => {
  const script = `console.log('{"failure":{"name":"a","problem":"b"}}'); console.error('no backend'); process.exit(3)`;
  const { messages, problem } = await runScript(script);
  expect(messages).toHaveLength(1);
  expect(problem).toBe('ended with 3: no backend');
});

it('says that a program is not there', async () => {
  const problem = await runJob({ program: 'no-such-python', words: [] }, () => undefined);
  expect(problem).toMatch(/no-such-python/);
});

it('ends a process when asked to', async () => {
  const stop = new AbortController();
  const running = runScript('console.log("{}"); setInterval(() => {}, 1000)', stop.signal);
  setTimeout(() => {
    stop.abort();
  }, 200);
  expect((await running).problem).toBeDefined();
});
