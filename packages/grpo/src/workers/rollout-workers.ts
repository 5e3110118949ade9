// Rollouts in worker threads: each has a backend of its own, and plays shards of the rollout.
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { MemGenError, type Random } from '@memgen/common';
import type { Decoder } from '@memgen/core';
import type { RolloutPlayerModule } from './rollout-player.js';
import { namesOfParts, partParameters, shapesOf, sharedValues, type RolloutParts } from './shared-values.js';
import { WorkerHandle } from './worker-handle.js';
import type { DrawingSettings, PlayedEpisode, PlayerFacts, RolloutWork, Shard } from './worker-messages.js';

export interface RolloutWorkersOptions {
  /** What each worker plays with: a module of one's own, or {@link reasonerPlayer}. */
  player: RolloutPlayerModule;
  /**
   * Threads. Each holds the reasoner once more, and computes with one thread of the processor.
   * @default one a processor
   */
  workers?: number;
  /**
   * Prompts (or tasks) of one shard, each with its whole group. Results depend on it, but not on the number of workers; a
   * rollout keeps as many workers busy as it has shards. @default 1
   */
  shardSize?: number;
  /**
   * Most megabytes of a worker's JavaScript heap; tensors of the wasm backend lie outside of it. Node ends a thread that
   * needs more; Node 24 now and then the whole process, when much is allocated at once. @default Node's
   */
  heapLimit?: number;
}

export interface RolloutRequest {
  /** The trainer's. */
  decoder: Decoder;
  /** Theirs are the values that the workers' parts take over. */
  parts: RolloutParts;
  drawing: DrawingSettings;
  work: RolloutWork;
  /** Shards draw from forks of it. */
  random: Random;
  /** Ends the rollout before the next token. */
  signal?: AbortSignal;
}

/**
 * Workers for the option `rollouts` of the trainers. A rollout is cut into shards of `shardSize` prompts, each with a stream
 * of chance of its own, so what is played does not depend on how many workers there are nor on which of them is faster.
 *
 * Idle workers do not keep the process alive. After an error that ended a worker, start new ones.
 */
export class RolloutWorkers {
  private rollouts = 0;
  private isPlaying = false;

  private constructor(
    private readonly handles: readonly WorkerHandle[],
    private readonly facts: PlayerFacts,
    readonly shardSize: number,
  ) {}

  /** @throws MemGenError `rollout-workers` for numbers out of range, `rollout-worker-start`. */
  static async start({
    player: { module, data },
    workers = availableParallelism(),
    shardSize = 1,
    heapLimit,
  }: RolloutWorkersOptions): Promise<RolloutWorkers> {
    checkCount('workers', workers);
    checkCount('shardSize', shardSize);
    if (heapLimit !== undefined) checkCount('heapLimit', heapLimit);
    const settings = { module: String(module), data };
    const started = await Promise.allSettled(
      Array.from({ length: workers }, () => WorkerHandle.start(settings, heapLimit)),
    );
    const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed !== undefined) {
      await Promise.all(running.map(({ handle }) => handle.end(true)));
      throw failed.reason;
    }
    const handles = running.map(({ handle }) => handle);
    return new RolloutWorkers(handles, running[0]!.facts, shardSize);
  }

  /** How many there are. */
  get workers(): number {
    return this.handles.length;
  }

  /**
   * What the trainers call, one rollout at a time.
   * @returns episodes in groups, in the order of the work.
   * @throws MemGenError `rollout-parts` if the workers have other parts, `rollout-workers` amid another rollout;
   *   `rollout-shard`, `rollout-worker-ended`, `rollout-worker-memory` naming the shard; the signal's reason when aborted.
   */
  async play({ decoder, parts, drawing, work, random, signal }: RolloutRequest): Promise<PlayedEpisode[]> {
    signal?.throwIfAborted();
    const parameters = partParameters(parts);
    this.checkParts({ config: decoder.config, parts: namesOfParts(parts), shapes: shapesOf(parameters) });
    this.begin();
    try {
      const values = await sharedValues(parameters);
      const rollout = this.rollouts++;
      const shards = shardsOf(work, this.shardSize).map((own, i): Shard => {
        return { random: random.fork(`shard ${i}`).state(), rollout, values, drawing, work: own };
      });
      return (await this.playAll(shards, signal)).flat();
    } finally {
      this.isPlaying = false;
    }
  }

  /** Ends the threads, also amid a rollout, which then fails. Idle players free what they hold first. */
  async dispose(): Promise<void> {
    const isIdle = !this.isPlaying;
    await Promise.all(this.handles.map((handle) => handle.end(isIdle)));
  }

  private begin(): void {
    if (this.isPlaying) {
      throw new MemGenError({
        code: 'rollout-workers',
        message: 'these workers are playing another rollout',
        hint: 'start workers for each training that goes on at the same time',
      });
    }
    this.isPlaying = true;
  }

  /** Every worker takes the next shard when it is done with its last. */
  private async playAll(shards: readonly Shard[], signal: AbortSignal | undefined): Promise<PlayedEpisode[][]> {
    const results = new Array<PlayedEpisode[]>(shards.length);
    let next = 0;
    let left = shards.length;
    let isOver = left === 0;
    let stop: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        stop = () => {
          reject(signal!.reason as Error);
        };
        signal?.addEventListener('abort', stop);
        if (signal?.aborted === true) stop();
        if (isOver) resolve();
        const work = async (handle: WorkerHandle) => {
          await handle.idle();
          while (next < shards.length && !isOver) {
            const i = next++;
            results[i] = await handle.play(shards[i]!, `shard ${i} of ${shards.length}`);
            if (--left === 0) resolve();
          }
        };
        for (const handle of this.handles) work(handle).catch(reject);
      });
    } catch (error) {
      for (const handle of this.handles) handle.abort();
      throw error;
    } finally {
      isOver = true;
      signal?.removeEventListener('abort', stop);
    }
    return results;
  }

  private checkParts(own: PlayerFacts): void {
    const fail = (message: string, got: string, expected: string): never => {
      const hint = 'make the player of the workers from the same model and settings as the parts of the trainer';
      throw new MemGenError({ code: 'rollout-parts', message, got, expected, hint });
    };
    const { config, parts, shapes } = this.facts;
    const namesOf = (names: readonly string[]) => (names.length === 0 ? 'none' : names.join(', '));
    if (!isDeepStrictEqual(parts, own.parts)) fail('the workers have other parts', namesOf(parts), namesOf(own.parts));
    if (!isDeepStrictEqual(config, own.config)) {
      const sizes = (one: typeof config) => `${one.layers} layers of ${one.hiddenSize}, ${one.vocabularySize} tokens`;
      fail('the workers have another reasoner', sizes(config), `${sizes(own.config)}, and the same settings`);
    }
    for (const name of new Set([...shapes.keys(), ...own.shapes.keys()])) {
      const shape = (all: PlayerFacts['shapes']) => (all.has(name) ? `[${all.get(name)!.join(', ')}]` : 'none');
      if (shape(shapes) !== shape(own.shapes)) {
        fail(`the workers have another ${name}`, shape(shapes), shape(own.shapes));
      }
    }
  }
}

function shardsOf(work: RolloutWork, size: number): RolloutWork[] {
  const cut = <T>(items: readonly T[]) =>
    Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
  if ('prompts' in work) return cut(work.prompts).map((prompts) => ({ prompts }));
  return cut(work.tasks).map((tasks) => ({ ...work, tasks }));
}

function checkCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new MemGenError({
    code: 'rollout-workers',
    where: name,
    message: 'this setting cannot be used',
    got: String(value),
    expected: 'a whole number of 1 or more',
  });
}
