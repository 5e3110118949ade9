// The parts of an experiment over the frozen reasoner: made new, or read from where they start.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, Random } from '@memgen/common';
import { loadAdapter, LoraAdapter, openMemGen, type Decoder, type Reasoner } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import { alignmentTo, LatentWeaver } from '@memgen/weaver';
import { z } from 'zod';
import type { Experiment } from '../config/load-experiment.js';
import { findCheckpoint } from './starting-point.js';
import { trainableCopy } from './trainable-copy.js';

export interface Parts {
  weaver?: LatentWeaver;
  trigger?: LanguageModelTrigger;
  adapter?: LoraAdapter;
  /** A copy of the reasoner with weights that are trained. */
  decoder?: Decoder;
}

/**
 * What the experiment trains, and what it brings along.
 * @throws MemGenError `start-missing`, `checkpoint-base` for parts of another reasoner (with the names of both), of reading.
 */
export async function makeParts(experiment: Experiment, reasoner: Reasoner): Promise<Parts> {
  const { training, weaver, trigger, adapter } = experiment;
  const { train } = training;
  const parts: Parts = {};
  try {
    if (weaver.from !== undefined) parts.weaver = await loadWeaver(weaver.from, reasoner);
    else if (train === 'weaver' || train === 'trigger') parts.weaver = await newWeaver(experiment, reasoner);
    if (trigger.from !== undefined) parts.trigger = await loadTrigger(trigger.from, reasoner);
    else if (train === 'trigger') parts.trigger = newTrigger(experiment, reasoner);
    if (adapter.from !== undefined) parts.adapter = await loadBaseline(adapter.from, reasoner);
    else if (train === 'adapter') parts.adapter = newAdapter(experiment, reasoner);
    if (train === 'reasoner') parts.decoder = await trainableCopy(reasoner.decoder);
    return parts;
  } catch (error) {
    disposeParts(parts);
    throw error;
  }
}

export function disposeParts({ weaver, trigger, adapter, decoder }: Parts): void {
  for (const part of [weaver, trigger, adapter, decoder]) part?.dispose();
}

/** A weaver as it is before training; of the sizes of `like`, where that came from elsewhere. */
export async function newWeaver(
  { weaver: settings, seed }: Experiment,
  { decoder, tokenizer }: Reasoner,
  like?: LatentWeaver,
): Promise<LatentWeaver> {
  const { initialization, queryText = '', latentToken } = settings;
  const queryIds = tokenizer.encode(queryText);
  const latentId = latentToken === undefined ? undefined : oneToken(tokenizer.encode(latentToken));
  return LatentWeaver.initialize(
    decoder,
    decoder.config.hiddenSize,
    {
      promptLatents: like?.latentCounts.prompt ?? settings.promptLatentsLen,
      inferenceLatents: like?.latentCounts.inference ?? settings.inferenceLatentsLen,
      lora: like?.adapter.config ?? settings.lora,
      initialization,
      ...(initialization === 'aligned' && { alignment: await alignmentTo(decoder, { queryIds, latentId }) }),
    },
    Random.fromSeed(seed).fork('weaver'),
  );
}

function newTrigger({ trigger: { lora }, seed }: Experiment, { decoder }: Reasoner): LanguageModelTrigger {
  return LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(seed).fork('trigger'));
}

function newAdapter({ adapter: { lora }, seed }: Experiment, { decoder }: Reasoner): LoraAdapter {
  return LoraAdapter.initialize(decoder.config, lora, Random.fromSeed(seed).fork('adapter'));
}

async function loadWeaver(from: string, { decoder, origin }: Reasoner): Promise<LatentWeaver> {
  return LatentWeaver.load((await openMemGen(await findCheckpoint(from), origin)).folderOf('weaver'), decoder);
}

async function loadTrigger(from: string, { decoder, origin }: Reasoner): Promise<LanguageModelTrigger> {
  return LanguageModelTrigger.load((await openMemGen(await findCheckpoint(from), origin)).folderOf('trigger'), decoder);
}

/** Beside an adapter: the model that it is for. */
export const baseFileName = 'adapter-base.json';
const baseSchema = z.looseObject({ source: z.string(), config_sha256: z.string() });

async function loadBaseline(from: string, { decoder, origin }: Reasoner): Promise<LoraAdapter> {
  const folder = await findCheckpoint(from);
  const path = join(folder, baseFileName);
  // Adapters of other programs have no such file; their sizes are checked all the same.
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const base = text === undefined ? undefined : baseSchema.safeParse(parseJson(text)).data;
  if (base !== undefined && base.config_sha256 !== origin.configHash) {
    throw new MemGenError({
      code: 'checkpoint-base',
      where: path,
      message: 'the adapter was trained for another reasoner',
      got: `${origin.source} (configuration ${origin.configHash.slice(0, 12)})`,
      expected: `${base.source} (configuration ${base.config_sha256.slice(0, 12)})`,
      hint: 'load the reasoner that the adapter was trained for',
    });
  }
  return loadAdapter(join(folder, 'adapter'), decoder.config);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function oneToken(ids: readonly number[]): number {
  if (ids.length === 1) return ids[0]!;
  throw new MemGenError({
    code: 'config',
    where: 'weaver.latent_token',
    message: 'the text must be a single token of the reasoner',
    got: `${ids.length} tokens`,
  });
}
