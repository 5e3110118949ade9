// The player of the tests of workers: a tiny decoder, and ways to fail.
import { MemGenError } from '@memgen/common';
import { startBackend, type GeneratingModel, type Weaver } from '@memgen/core';
import { frozenDecoder, tinyConfig } from '../../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { CountingEnvironment, type CountingTask } from '../test-environments.test-helper.js';
import type { RolloutPlayer } from './rollout-player.js';

export interface TestPlayerData {
  /** What the factory does instead of making a player. */
  start?: 'throw' | 'exit' | 'refuse';
  /** What happens in the episode of the task of this name. */
  at?: { name: string; what: 'exit' | 'throw' | 'memory' | 'hang' };
  /** Latents of the weaver. @default 3 */
  promptLatents?: number;
  withoutWeaver?: boolean;
  /** Shared memory: episodes that began; environments disposed; players disposed. */
  counts?: Int32Array;
}

export async function tinyParts(promptLatents?: number): Promise<{ reasoner: GeneratingModel; weaver: Weaver }> {
  const decoder = await frozenDecoder(
    tinyConfig({ num_hidden_layers: 1, vocab_size: 268, max_position_embeddings: 16_384 }),
  );
  const weaver = tinyWeaver(decoder, promptLatents === undefined ? {} : { promptLatents });
  return { reasoner: { decoder, tokenizer: smallTokenizer() }, weaver };
}

export async function createRolloutPlayer(data: TestPlayerData): Promise<RolloutPlayer<CountingTask>> {
  if (data.start === 'throw') throw new Error('there is no such model');
  if (data.start === 'refuse') throw new MemGenError({ code: 'files', message: 'damaged', hint: 'copy it again' });
  if (data.start === 'exit') process.exit(7);
  await startBackend({ backend: 'wasm' });
  const { reasoner, weaver } = await tinyParts(data.promptLatents);
  const { counts = new Int32Array(3), withoutWeaver = false, at } = data;
  return {
    reasoner,
    weaver: withoutWeaver ? undefined : weaver,
    environment: () => new UnsafeEnvironment(at, counts),
    dispose: () => void Atomics.add(counts, 2, 1),
  };
}

export function createCountingEnvironment({ maximumTurns }: { maximumTurns: number }): CountingEnvironment {
  return new CountingEnvironment(maximumTurns);
}

class UnsafeEnvironment extends CountingEnvironment {
  constructor(
    private readonly at: TestPlayerData['at'],
    private readonly counts: Int32Array,
  ) {
    super();
  }

  override async reset(task: CountingTask) {
    Atomics.add(this.counts, 0, 1);
    if (task.name === this.at?.name) await this.fail(this.at.what);
    return super.reset(task);
  }

  override dispose() {
    Atomics.add(this.counts, 1, 1);
    return super.dispose();
  }

  private fail(what: 'exit' | 'throw' | 'memory' | 'hang'): Promise<void> | undefined {
    if (what === 'exit') process.exit(3);
    // An error that nobody awaits, as of a socket.
    if (what === 'throw') setImmediate(() => void fail());
    if (what === 'memory') return fillMemory();
    return new Promise(() => undefined);
  }
}

function fail(): never {
  throw new Error('the socket is closed');
}

/** In small pieces: to allocations in one go Node 24 sometimes answers by ending the whole process. */
async function fillMemory(): Promise<never> {
  let list: unknown;
  for (;;) {
    for (let i = 0; i < 1000; i++) list = { list, more: [1.5] };
    await new Promise((resolve) => setImmediate(resolve));
  }
}
