// What a worker plays rollouts with, and the module that makes it there.
import type { Environment } from '@memgen/common';
import type { ChatTemplate, GeneratingModel, LoraAdapter, Trigger, Weaver } from '@memgen/core';

/**
 * Everything that acts in a rollout, in the memory of one worker. Its parts are of the same kinds and sizes as those of the
 * trainer, whose values they take over before each rollout; so it does not matter how they are initialised. The reasoner is
 * the trainer's, on the same backend.
 */
export interface RolloutPlayer<Task = unknown> {
  reasoner: GeneratingModel;
  weaver?: Weaver | undefined;
  trigger?: Trigger | undefined;
  /** Over the reasoner. */
  adapter?: LoraAdapter | undefined;
  /** Where tasks have many turns: makes an environment; they are used again, and disposed at the end. */
  environment?: (() => Environment<Task>) | undefined;
  /** That of the tasks. @default MemGen's ChatML */
  template?: ChatTemplate | undefined;
  /** Called when the workers are disposed. */
  dispose?(): void | Promise<void>;
}

/** What a player's module exports under the name `createRolloutPlayer`. It is called once in each worker. */
export type CreateRolloutPlayer<Data = unknown, Task = unknown> = (
  data: Data,
) => RolloutPlayer<Task> | Promise<RolloutPlayer<Task>>;

/** A module by its address, and what its `createRolloutPlayer` is called with. */
export interface RolloutPlayerModule {
  /** Absolute, as `new URL('./my-player.js', import.meta.url)` gives it. */
  module: string | URL;
  /** Plain data, copied into each worker. */
  data?: unknown;
}
