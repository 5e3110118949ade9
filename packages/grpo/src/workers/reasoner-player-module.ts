// The common player as the main thread names it: a model folder, new parts, perhaps an environment.
import type { BackendName, LoraConfig } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { RolloutPlayerModule } from './rollout-player.js';
import { moduleBeside } from './start-thread.js';

/** Something that a module exports, and what it is made with: plain data. */
export interface ExportedPart {
  /** Absolute address of the module, as `import.meta.resolve('@memgen/weaver')` gives it. */
  module: string | URL;
  /** Name of the export. */
  name: string;
  /** What the part is made with. */
  config?: unknown;
}

export interface ReasonerPlayerOptions {
  /** Folder of the reasoner, as `loadReasoner` of `@memgen/core` takes it. */
  model: string;
  /** @default the one that is in use */
  backend?: BackendName;
  /** The class of a weaver with `initialize` as `LatentWeaver` of `@memgen/weaver` has it; `config` is its configuration. */
  weaver?: ExportedPart | undefined;
  /** The same of a trigger, as `LanguageModelTrigger` of `@memgen/trigger`. */
  trigger?: ExportedPart | undefined;
  /** Settings of a LoRA adapter of the reasoner. */
  adapter?: LoraConfig | undefined;
  /** A function that makes an environment out of its `config`; called once for each of them. */
  environment?: ExportedPart | undefined;
  /** Template of the tasks of an environment: MemGen's, or that of the model. @default "chatml" */
  template?: 'chatml' | 'model';
}

/** The same as it is sent to a worker. */
export type ReasonerPlayerData = ReasonerPlayerOptions & { backend: BackendName };

/**
 * A player for {@link RolloutWorkers} without a module of one's own: loads the reasoner from its folder and makes new parts
 * of the given settings; the values of the trainer's parts come before each rollout.
 */
export function reasonerPlayer(options: ReasonerPlayerOptions): RolloutPlayerModule {
  const { backend = tf.getBackend() as BackendName, weaver, trigger, environment } = options;
  const data: ReasonerPlayerData = {
    ...options,
    backend,
    weaver: addressed(weaver),
    trigger: addressed(trigger),
    environment: addressed(environment),
  };
  return { module: moduleBeside('reasoner-player'), data };
}

/** An object of class URL cannot be sent to another thread. */
function addressed(part: ExportedPart | undefined): ExportedPart | undefined {
  return part === undefined ? undefined : { ...part, module: String(part.module) };
}
