// Conversations of many turns as training sequences of one turn each.
import type { Random } from '@memgen/common';
import { ignoredLabel } from '../text/encode-conversation.js';
import type { LabelledSequence } from './augmentation-points.js';

/**
 * One sequence for each span of labels: everything up to the end of the span, of which only this span is supervised.
 * Latents of one turn are thus not visible to the next, as in the reference (its training forward of conversations).
 */
export function splitTurns({ ids, labels }: LabelledSequence): LabelledSequence[] {
  const turns: LabelledSequence[] = [];
  let start: number | undefined;
  for (let i = 0; i <= labels.length; i++) {
    const supervised = i < labels.length && labels[i] !== ignoredLabel;
    if (supervised) start ??= i;
    else if (start !== undefined) {
      const from = start;
      turns.push({
        ids: ids.slice(0, i),
        labels: labels.slice(0, i).map((label, at) => (at < from ? ignoredLabel : label)),
      });
      start = undefined;
    }
  }
  return turns;
}

/** At most `count` of the turns, drawn without replacement and kept in their order; all of them if they are not more. */
export function chooseTurns<T>(turns: readonly T[], count: number, random: Random): T[] {
  if (turns.length <= count) return [...turns];
  const chosen = new Set(random.sample(turns.map((_, i) => i), count)); // prettier-ignore
  return turns.filter((_, i) => chosen.has(i));
}
