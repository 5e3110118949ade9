// Options that `memgen generate` and `memgen chat` have in common, and what they mean for a generation.
import { Random } from '@memgen/common';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { backendNames, type BackendName } from '../../backend/index.js';
import { checkGenerateOptions } from '../../generation/generate-options.js';
import type { GenerateOptions } from '../../generation/index.js';

/** As commander gives them. */
export interface GenerationFlags {
  adapter?: string;
  maxTokens: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  stop?: string[];
  seed: number;
  /** Of `generate` only. */
  samples?: number;
  backend: BackendName | 'auto';
  system?: string;
  thinking?: boolean;
  revision?: string;
}

/** Adds the options to a command. */
export function addGenerationOptions(command: Command): Command {
  return command
    .argument('<model>', 'folder, .gguf file, or the name of a model in the Hugging Face cache or on the hub')
    .option('--adapter <dir>', 'PEFT folder of a LoRA adapter over the model')
    .option('--max-tokens <n>', 'most new tokens', toNumber, 512)
    .option('--temperature <t>', 'of the sampling; 0 is greedy (default: 0, or 1 with one of the next three)', toNumber)
    .option('--top-k <k>', 'draw from the k most likely tokens', toNumber)
    .option('--top-p <p>', 'draw from the most likely tokens that together have this probability', toNumber)
    .option('--min-p <p>', 'draw from tokens at least this times as likely as the likeliest', toNumber)
    .option('--repetition-penalty <x>', 'above 1 makes tokens that were there before less likely', toNumber)
    .option('--stop <text...>', 'texts that end the answer')
    .option('--seed <n>', 'of the sampling', toNumber, 0)
    .option('--system <text>', 'system message')
    .option('--thinking', 'let a model that can think aloud do so')
    .option('--no-thinking', 'let it not')
    .option('--revision <name>', 'branch, tag or commit of a model in the cache or on the hub')
    .addOption(new Option('--backend <name>', 'what computes').choices(['auto', ...backendNames]).default('auto'));
}

/**
 * The options of a generation.
 * @throws MemGenError `generate-options`, `sampling`, before any model is loaded.
 */
export function generationSettings(flags: GenerationFlags): GenerateOptions & { random: Random } {
  const { maxTokens, topK, topP, minP, repetitionPenalty, stop = [], seed, samples } = flags;
  const draws = topK !== undefined || topP !== undefined || minP !== undefined;
  const temperature = flags.temperature ?? (draws ? 1 : 0);
  const settings = {
    maxNewTokens: maxTokens,
    samplesPerPrompt: samples,
    sampling: { temperature, topK, topP, minP, repetitionPenalty },
    stopStrings: stop,
    random: Random.fromSeed(seed),
  };
  checkGenerateOptions([[0]], settings);
  return settings;
}

/** A number out of a word of the command line. */
export function toNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('A number is expected.');
  return number;
}
