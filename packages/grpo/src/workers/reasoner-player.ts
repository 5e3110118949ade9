// The common player, made in a worker: a reasoner from its folder, new parts, perhaps an environment.
import { MemGenError, Random, type Environment } from '@memgen/common';
import {
  ChatTemplate,
  loadReasoner,
  LoraAdapter,
  startBackend,
  type Decoder,
  type Trigger,
  type Weaver,
} from '@memgen/core';
import type { ExportedPart, ReasonerPlayerData } from './reasoner-player-module.js';
import type { RolloutPlayer } from './rollout-player.js';

interface WeaverClass {
  initialize(base: Decoder, reasonerHidden: number, config: unknown, random: Random): Weaver;
}

interface TriggerClass {
  initialize(base: Decoder, config: unknown, random: Random): Trigger;
}

type CreateEnvironment = (config: unknown) => Environment<unknown>;

/** @throws MemGenError `rollout-player` for a module that has no such export, and those of loading a model. */
export async function createRolloutPlayer(data: ReasonerPlayerData): Promise<RolloutPlayer> {
  const { weaver, trigger, environment, adapter, template = 'chatml' } = data;
  const weaverClass = await exported(weaver, isWeaverClass, 'a class with initialize');
  const triggerClass = await exported(trigger, isTriggerClass, 'a class with initialize');
  const create = await exported(environment, isFunction, 'a function that makes an environment');
  await startBackend({ backend: data.backend });
  const reasoner = await loadReasoner(data.model);
  const { decoder, tokenizer } = reasoner;
  // Whatever is drawn: values come with each rollout.
  const random = Random.fromSeed(0);
  return {
    reasoner,
    weaver: weaverClass?.initialize(decoder, decoder.config.hiddenSize, weaver!.config, random),
    trigger: triggerClass?.initialize(decoder, trigger!.config, random),
    adapter: adapter && LoraAdapter.initialize(decoder.config, adapter, random),
    environment: create && (() => create(environment!.config)),
    template: template === 'model' ? ChatTemplate.ofTokenizer(tokenizer) : ChatTemplate.chatMl(),
  };
}

async function exported<T>(
  part: ExportedPart | undefined,
  isWanted: (value: unknown) => value is T,
  expected: string,
): Promise<T | undefined> {
  if (part === undefined) return undefined;
  const { module, name } = part;
  const exports = (await import(String(module))) as Record<string, unknown>;
  const value = exports[name];
  if (isWanted(value)) return value;
  throw new MemGenError({
    code: 'rollout-player',
    where: String(module),
    message: `the module does not export what the player needs as "${name}"`,
    got: value === undefined ? `exports ${Object.keys(exports).join(', ')}` : typeof value,
    expected,
  });
}

function isWeaverClass(value: unknown): value is WeaverClass {
  return hasInitialize(value);
}

function isTriggerClass(value: unknown): value is TriggerClass {
  return hasInitialize(value);
}

function hasInitialize(value: unknown): boolean {
  return typeof value === 'function' && 'initialize' in value && typeof value.initialize === 'function';
}

function isFunction(value: unknown): value is CreateEnvironment {
  return typeof value === 'function';
}
