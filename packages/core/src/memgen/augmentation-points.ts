// Where latents are woven into a labelled sequence (section 3.1 of arXiv 2509.24704, as the reference code does it).
import { MemGenError } from '@memgen/common';
import { ignoredLabel } from '../text/encode-conversation.js';
import type { LatentKind } from './weaver.js';

/** Latents go in before token `index`. */
export interface AugmentationPoint {
  index: number;
  kind: LatentKind;
}

/** One training sequence without padding; label -100 means "not supervised". */
export interface LabelledSequence {
  ids: readonly number[];
  labels: readonly number[];
}

export interface AugmentationPointOptions {
  /** Most inference points of a sequence. */
  maxInferencePoints: number;
  /** Fewest tokens from one point to the next, that of the prompt included. @default 1 */
  minimumPointDistance?: number;
  /** For each token: whether the text up to and including it ends with a delimiter. */
  endsWithDelimiter: (index: number) => boolean;
}

/**
 * The prompt point (the first label) and the inference points: places inside the labelled span whose text so far ends with
 * a delimiter, the first `maxInferencePoints` of them.
 * @throws MemGenError `label-mask` unless the labels begin exactly once.
 */
export function findAugmentationPoints(
  { ids, labels }: LabelledSequence,
  { maxInferencePoints, minimumPointDistance = 1, endsWithDelimiter }: AugmentationPointOptions,
): AugmentationPoint[] {
  const starts = labels.flatMap((label, i) =>
    label !== ignoredLabel && (i === 0 || labels[i - 1] === ignoredLabel) ? [i] : [],
  );
  const first = starts[0];
  if (first === undefined || starts.length > 1 || first === 0) {
    throw new MemGenError({
      code: 'label-mask',
      message: 'a one-turn sequence needs a prompt and, after it, exactly one span of labels',
      got: first === undefined ? 'no label at all' : `spans of labels that begin at ${starts.join(', ')}`,
      expected: `one span, beginning after position 0, in ${ids.length} tokens`,
      hint: 'check the chat template and the maximal length: the assistant part may have been cut off',
    });
  }
  const points: AugmentationPoint[] = [{ index: first, kind: 'prompt' }];
  for (let i = first + 1; i < ids.length && points.length <= maxInferencePoints; i++) {
    if (i - points.at(-1)!.index < minimumPointDistance) continue;
    if (labels[i] !== ignoredLabel && labels[i - 1] !== ignoredLabel && endsWithDelimiter(i - 1)) {
      points.push({ index: i, kind: 'inference' });
    }
  }
  return points;
}
