// What no single setting can be blamed for: settings that do not go together.
import { MemGenError } from '@memgen/common';
import type { KeyPath } from './nested-data.js';
import type { CheckedFile } from './schema.js';

interface Conflict {
  path: KeyPath;
  message: string;
  got: string;
  expected: string;
  hint?: string;
}

/**
 * @param locate - where a setting was given.
 * @throws MemGenError with code `config` for the first settings that contradict each other.
 */
export function checkCombination(file: CheckedFile, locate: (path: KeyPath) => string): void {
  const conflict = [methodConflict, taskConflict, stepConflict, armConflict].map((find) => find(file)).find(isConflict);
  if (conflict === undefined) return;
  const { path, ...details } = conflict;
  throw new MemGenError({ code: 'config', where: locate(path), ...details });
}

function isConflict(conflict: Conflict | undefined): conflict is Conflict {
  return conflict !== undefined;
}

function methodConflict({ training: { method, train, grpo } }: CheckedFile): Conflict | undefined {
  const path = ['training', 'train'];
  if (method === 'sft' && train === 'trigger') {
    return {
      path,
      message: 'a trigger learns from rewards: no row says where weaving is right',
      got: 'training.method sft',
      expected: 'training.method grpo',
    };
  }
  if (method === 'grpo' && train === 'reasoner') {
    return {
      path,
      message: 'all weights of a reasoner are trained on solved rows only',
      got: 'training.method grpo',
      expected: 'weaver, trigger or adapter, or training.method sft',
    };
  }
  if (grpo.penalty === undefined || train === 'trigger') return undefined;
  return {
    path: ['training', 'grpo', 'penalty'],
    message: 'the penalty on weaving is for a trigger, which decides about it',
    got: `training.train ${train}`,
    expected: 'training.train trigger, or no penalty',
  };
}

/** Tasks without solved rows, and the rewards that tasks have. */
function taskConflict({ training: { method, grpo }, data: { task } }: CheckedFile): Conflict | undefined {
  if (method === 'sft' && (task === 'triviaqa' || task === 'tiny-mix')) {
    return {
      path: ['data', 'task'],
      message: 'the task has no solved rows to learn from',
      got: task,
      expected: 'training.method grpo, or another task',
    };
  }
  if (method === 'sft') return undefined;
  const { correct, form, partial } = grpo.rewards;
  const hasEnvironment = task === 'triviaqa' || task === 'tiny-search';
  if (hasEnvironment && (correct !== 1 || partial !== 0)) {
    return {
      path: ['training', 'grpo', 'rewards'],
      message: 'the reward of the environment counts once, and there is no partial one',
      got: `correct ${correct}, partial ${partial}`,
      expected: 'correct 1, partial 0; form may have a weight beside it',
    };
  }
  if (partial !== 0 && task !== 'kodcode') {
    return {
      path: ['training', 'grpo', 'rewards', 'partial'],
      message: 'the task cannot tell which part of an answer is right',
      got: task,
      expected: 'kodcode, whose tests pass one by one',
    };
  }
  if (correct !== 0 || form !== 0 || partial !== 0) return undefined;
  return {
    path: ['training', 'grpo', 'rewards'],
    message: 'every reward is left out, so there is nothing to learn from',
    got: 'weights of 0',
    expected: 'a weight other than 0',
  };
}

function stepConflict({ training }: CheckedFile): Conflict | undefined {
  if (training.method === 'sft') return undefined;
  if (training.gradient_accumulation !== 1) {
    return {
      path: ['training', 'gradient_accumulation'],
      message: 'a step of grpo is counted in prompts and cut into batches by itself',
      got: String(training.gradient_accumulation),
      expected: 'training.grpo.prompts_per_step',
    };
  }
  const { max_steps: steps, grpo } = training;
  if (steps === undefined || steps % grpo.iterations === 0) return undefined;
  const below = steps - (steps % grpo.iterations);
  return {
    path: ['training', 'max_steps'],
    message: 'the last rollout would not be used up',
    got: `${steps} steps, ${grpo.iterations} over each rollout`,
    expected: [below, below + grpo.iterations].filter((count) => count > 0).join(' or '),
  };
}

/** An arm needs its parts, trained here or brought along. */
function armConflict({ evaluation, training: { train }, trigger, adapter }: CheckedFile): Conflict | undefined {
  const missing = (evaluation.arms ?? []).flatMap((arm, i): Conflict[] => {
    const path = ['evaluation', 'arms', i];
    const lacks = (part: string): Conflict[] => [
      {
        path,
        message: `there is no ${part} for this arm`,
        got: arm,
        expected: `training.train ${part}${part === 'reasoner' ? '' : `, or ${part}.from`}`,
      },
    ];
    if (arm === 'weaver+trigger' && train !== 'trigger' && trigger.from === undefined) return lacks('trigger');
    if (arm === 'adapter' && train !== 'adapter' && adapter.from === undefined) return lacks('adapter');
    return arm === 'reasoner' && train !== 'reasoner' ? lacks('reasoner') : [];
  });
  return missing[0];
}
