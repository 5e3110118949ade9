// Other names of settings, by which the reference implementation, PEFT and Hugging Face's trainers know them.
import { MemGenError } from '@memgen/common';
import { isGroup, setAt, type KeyPath } from './nested-data.js';

/** Settings of GRPO by TRL's names, and by ours. */
const grpoNames: readonly (readonly [string, string])[] = [
  ['num_generations', 'group_size'],
  ['num_iterations', 'iterations'],
  ['generation_batch_size', 'completions_per_step'],
  ['importance_sampling_level', 'importance_sampling'],
  ['beta', 'beta'],
  ['epsilon', 'epsilon'],
  ['epsilon_high', 'epsilon_high'],
  ['delta', 'delta'],
  ['loss_type', 'loss_type'],
  ['scale_rewards', 'scale_rewards'],
  ['mask_truncated_completions', 'mask_truncated_completions'],
  ['max_completion_length', 'max_completion_length'],
  ['temperature', 'temperature'],
];

/** Name in a file -> our name, both as ways from the top. The group is that of our name, e.g. `weaver.lora.lora_alpha`. */
export const referenceKeys: ReadonlyMap<string, string> = new Map([
  ['reasoner.model_name', 'reasoner.model'],
  ['reasoner.model_name_or_path', 'reasoner.model'],
  ...['weaver', 'trigger', 'adapter'].flatMap((part): [string, string][] => [
    [`${part}.lora.lora_alpha`, `${part}.lora.alpha`],
    [`${part}.lora.lora_dropout`, `${part}.lora.dropout`],
    [`${part}.lora_config`, `${part}.lora`],
  ]),
  ['training.num_train_epochs', 'training.epochs'],
  ['training.per_device_train_batch_size', 'training.batch_size'],
  ['training.gradient_accumulation_steps', 'training.gradient_accumulation'],
  ['training.adam_epsilon', 'training.epsilon'],
  ['training.lr_scheduler_type', 'training.schedule'],
  ['training.max_grad_norm', 'training.clip_norm'],
  ['training.max_seq_length', 'training.max_length'],
  ['training.save_steps', 'training.checkpoint_every_steps'],
  ['training.save_total_limit', 'training.keep_checkpoints'],
  ['training.eval_steps', 'training.evaluate_every_steps'],
  ['training.per_device_eval_batch_size', 'evaluation.batch_size'],
  // In the group of GRPO, or beside the other settings of a trainer, where TRL has them. `epsilon` alone is AdamW's there.
  ...grpoNames.flatMap(([given, own]): [string, string][] => [
    ...(given === own ? [] : ([[`training.grpo.${given}`, `training.grpo.${own}`]] as [string, string][])),
    ...(given === 'epsilon' ? [] : ([[`training.${given}`, `training.grpo.${own}`]] as [string, string][])),
  ]),
]);

/** Settings under our names only. */
export interface OwnNames {
  data: Record<string, unknown>;
  /** The way by which a setting was given, for messages about it. */
  givenPath: (path: KeyPath) => KeyPath;
}

/** The way to a setting in our names. */
export function ownPath(path: readonly string[]): string[] {
  return path.reduce<string[]>((own, key) => {
    const name = referenceKeys.get([...own, key].join('.'));
    return name === undefined || key.includes('.') ? [...own, key] : name.split('.');
  }, []);
}

/**
 * A copy of `data` in which every setting has our name.
 *
 * @param locate - where a key stands, in the names that were given.
 * @throws MemGenError with code `config` when one setting is given by two names.
 */
export function withOwnNames(data: Record<string, unknown>, locate: (path: KeyPath) => string): OwnNames {
  const given = new Map<string, readonly string[]>();
  let result: Record<string, unknown> = {};
  const walk = (group: Record<string, unknown>, path: readonly string[]): void => {
    for (const [key, value] of Object.entries(group)) {
      const here = [...path, key];
      const own = ownPath(here);
      const before = given.get(JSON.stringify(own));
      if (before !== undefined) throw twoNames(before, here, own, locate(here));
      given.set(JSON.stringify(own), here);
      if (isGroup(value) && Object.keys(value).length > 0) walk(value, here);
      else result = setAt(result, own, value);
    }
  };
  walk(data, []);
  const givenPath = (path: KeyPath): KeyPath => {
    for (let length = path.length; length > 0; length--) {
      const start = given.get(JSON.stringify(path.slice(0, length)));
      if (start !== undefined) return [...start, ...path.slice(length)];
    }
    return path;
  };
  return { data: result, givenPath };
}

function twoNames(first: readonly string[], second: readonly string[], own: readonly string[], where: string) {
  return new MemGenError({
    code: 'config',
    where,
    message: `"${second.join('.')}" and "${first.join('.')}" are two names of one setting`,
    expected: `one of them, e.g. "${own.join('.')}"`,
  });
}
