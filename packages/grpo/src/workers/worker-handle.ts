// One rollout worker as the main thread sees it: started, given one shard at a time, ended.
import { MemGenError, type MemGenErrorDetails } from '@memgen/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { startThread } from './start-thread.js';
import {
  received,
  sendable,
  type PlayedEpisode,
  type PlayerFacts,
  type Shard,
  type ThrownError,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSettings,
} from './worker-messages.js';

/** Milliseconds that a player has to free what it holds outside. */
const disposalTime = 2000;

/** Why a thread is no more. */
interface Ending {
  code: 'rollout-worker-ended' | 'rollout-worker-memory';
  got: string;
  hint: string;
  error?: ThrownError;
}

const memoryHint = 'raise `heapLimit`, or give fewer workers, or smaller shards';
const endingHint = 'start new workers: these cannot go on';

export class WorkerHandle {
  private ending: Ending | undefined;
  private settle: (reply: WorkerReply | undefined) => void = () => undefined;
  private last: Promise<unknown> = Promise.resolve();
  private asked = 0;

  private constructor(private readonly worker: Worker) {
    const end = (ending: Ending) => {
      // An error is told before the exit that it leads to, and says more.
      this.ending ??= ending;
      this.settle(undefined);
    };
    worker.on('message', (reply: WorkerReply) => {
      this.settle(reply);
    });
    worker.on('messageerror', (error) => {
      end({ code: 'rollout-worker-ended', got: error.message, hint: endingHint, error: sendable(error) });
      void worker.terminate();
    });
    worker.on('error', (thrown: unknown) => {
      const error = sendable(thrown);
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      end({
        code: isMemory ? 'rollout-worker-memory' : 'rollout-worker-ended',
        got: error.message,
        hint: isMemory ? memoryHint : endingHint,
        error,
      });
    });
    worker.on('exit', (code) => {
      end({ code: 'rollout-worker-ended', got: `exit code ${code}`, hint: endingHint });
    });
  }

  /**
   * @param heapLimit - megabytes of the thread's JavaScript heap.
   * @throws MemGenError `rollout-worker-start`.
   */
  static async start(
    settings: WorkerSettings,
    heapLimit: number | undefined,
  ): Promise<{ handle: WorkerHandle; facts: PlayerFacts }> {
    const resourceLimits = heapLimit === undefined ? {} : { maxOldGenerationSizeMb: heapLimit };
    const failure = (error: ThrownError, hint: string) =>
      new MemGenError({
        code: 'rollout-worker-start',
        where: settings.module,
        message: `a rollout worker could not be started: ${error.message}`,
        hint,
        cause: received(error),
      });
    let handle: WorkerHandle;
    try {
      handle = new WorkerHandle(startThread('rollout-worker', { workerData: settings, resourceLimits }));
    } catch (error) {
      throw failure(sendable(error), 'the data of the player must be plain: no functions, tensors or class instances');
    }
    const reply = await handle.next();
    if (reply?.kind === 'ready') {
      handle.worker.unref();
      return { handle, facts: reply.facts };
    }
    await handle.worker.terminate();
    if (reply?.kind === 'not-started') throw failure(reply.error, 'see what the module of the player does');
    const { got, error, code } = handle.ending!;
    const hint = code === 'rollout-worker-memory' ? memoryHint : 'the thread ended while it made its player';
    throw failure(error ?? { name: 'Error', message: got }, hint);
  }

  /** Resolves when it has answered for what it was given before, also if that was given up. */
  async idle(): Promise<void> {
    await this.last;
  }

  /**
   * An idle worker does not keep the process alive.
   * @param where - the shard, for errors.
   * @throws MemGenError `rollout-shard` if the worker throws, `rollout-worker-ended`, `rollout-worker-memory`.
   */
  play(shard: Shard, where: string): Promise<PlayedEpisode[]> {
    const played = this.ask(shard, where);
    this.last = played.catch(() => undefined);
    return played;
  }

  /** The shard at hand need not be finished. */
  abort(): void {
    this.post({ kind: 'abort' });
  }

  /** Lets an idle player free what it holds; ends the thread, whatever it is doing. */
  async end(isIdle: boolean): Promise<void> {
    this.worker.ref();
    if (this.ending === undefined && isIdle) {
      const answer = this.next();
      this.post({ kind: 'dispose' });
      await Promise.race([answer, sleep(disposalTime, undefined, { ref: false })]);
    }
    this.ending ??= { code: 'rollout-worker-ended', got: 'the workers were disposed', hint: endingHint };
    await this.worker.terminate();
  }

  private async ask(shard: Shard, where: string): Promise<PlayedEpisode[]> {
    const id = this.asked++;
    this.worker.ref();
    try {
      const answer = this.next();
      if (this.ending === undefined) this.post({ kind: 'play', id, shard });
      const reply = this.ending === undefined ? await answer : undefined;
      if (reply?.kind === 'played') return reply.episodes;
      if (reply?.kind === 'failed') throw shardError(where, reply.error);
      const { code, got, hint, error } = this.ending!;
      throw new MemGenError({
        code,
        where,
        message: code === 'rollout-worker-memory' ? 'a rollout worker ran out of memory' : 'a rollout worker ended',
        got,
        hint,
        ...(error !== undefined && { cause: received(error) }),
      } satisfies MemGenErrorDetails);
    } catch (error) {
      // What cannot be copied is refused before it is sent.
      throw MemGenError.isInstance(error) ? error : shardError(where, sendable(error));
    } finally {
      this.worker.unref();
    }
  }

  private next(): Promise<WorkerReply | undefined> {
    return new Promise((resolve) => (this.settle = resolve));
  }

  private post(request: WorkerRequest): void {
    this.worker.postMessage(request);
  }
}

function shardError(where: string, error: ThrownError): MemGenError {
  return new MemGenError({
    code: 'rollout-shard',
    where,
    message: `a rollout worker could not play it: ${error.message}`,
    cause: received(error),
  });
}
