// A hub with one model, and a folder for its cache, anew for each test of a file that imports this.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { commit, startTestHub, type TestHub } from './hub-server.test-helper.js';
import type { ResolveModelOptions } from './index.js';

/** An empty folder, the home of the tools, in which the cache is. */
export let root: string;
let hub: TestHub | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-hub-'));
});
afterEach(async () => {
  await stop();
  await rm(root, { recursive: true, force: true });
});

export const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));
export const model = {
  'README.md': Buffer.from('# model'),
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'tokenizer.json': Buffer.from('{}'),
  'tokenizer_config.json': Buffer.from('{"a":1}'),
  'chat_template.jinja': Buffer.from('{{ messages }}'),
  'model.safetensors': weights,
  'pytorch_model.bin': Buffer.from('pickle'),
  'onnx/model.onnx': Buffer.from('onnx'),
};

export async function start(
  files: Record<string, Uint8Array> = model,
  ...more: [string?, string[]?]
): Promise<TestHub> {
  hub = await startTestHub(files, ...more);
  return hub;
}

/** The model less some files. */
export function without(...names: string[]): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(model).filter(([name]) => !names.includes(name)));
}

/** Nothing of the real environment takes part. */
export function options(more: ResolveModelOptions = {}): ResolveModelOptions {
  return {
    endpoint: hub?.endpoint ?? 'http://127.0.0.1:9',
    environment: { HF_HOME: root },
    retryDelayMilliseconds: 1,
    timeoutMilliseconds: 5_000,
    ...more,
  };
}

export const repository = () => join(root, 'hub/models--org--name');
export const snapshot = () => join(repository(), 'snapshots', commit);

export async function expectWeights(folder: string): Promise<void> {
  // Comparing large buffers with toEqual takes seconds.
  expect((await readFile(join(folder, 'model.safetensors'))).equals(weights)).toBe(true);
}

export async function failure(attempt: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'MemGenError' });
  return error as { code: string; message: string };
}

/** Of the hub that {@link start} has started. */
export async function stop(): Promise<void> {
  await hub?.close();
  hub = undefined;
}

/** Answers with a status and nothing else. */
export function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): true {
  response.writeHead(status, headers).end();
  return true;
}
