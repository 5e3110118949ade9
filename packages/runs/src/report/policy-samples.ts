// What a policy wrote at the beginning of its training and at the end, for the same prompt where there is one.
import { groupBy } from '../group-by.js';
import type { SampleRecord } from '../samples.js';
import type { SamplePair } from './report-data.js';

/** The part of a run, at either end, that samples are taken from. */
const endShare = 0.25;

/** @param count - pairs at most. @returns nothing for a run without samples. */
export function policySamples(samples: readonly SampleRecord[], count = 4): SamplePair[] {
  const last = samples.reduce((step, sample) => Math.max(step, sample.step), 0);
  const first = samples.reduce((step, sample) => Math.min(step, sample.step), last);
  const width = (last - first) * endShare;
  const early = groupBy(
    samples.filter(({ step }) => step <= first + width),
    ({ prompt }) => prompt,
  );
  const late = groupBy(
    samples.filter(({ step }) => step >= last - width && step > first + width),
    ({ prompt }) => prompt,
  );
  const shared = [...late].flatMap(([prompt, after]): SamplePair[] => {
    const before = early.get(prompt);
    return before === undefined ? [] : [{ prompt, samples: [shown(before[0]!), shown(after.at(-1)!)] }];
  });
  if (shared.length > 0) return shared.slice(-count);
  // No prompt came twice: the first and the last ones, each by itself.
  const ends = [...[...early].slice(0, Math.ceil(count / 2)), ...[...late].slice(-Math.floor(count / 2))];
  return ends.map(([prompt, given]) => ({ prompt, samples: [shown(given[0]!)] }));
}

function shown({ step, completion, reward, woven, decisions }: SampleRecord): SamplePair['samples'][number] {
  return {
    step,
    completion,
    reward,
    ...(woven !== undefined && decisions !== undefined && decisions > 0 && { woven, decisions }),
  };
}
