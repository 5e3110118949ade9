// samples.jsonl: what a policy wrote while it was trained, with its rewards, so that learning can be read and not only plotted.
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from './json-lines.js';

const sampleSchema = z.looseObject({
  /** Optimizer step that learned from it. */
  step: z.int().nonnegative(),
  prompt: z.string(),
  completion: z.string(),
  /** What the advantage was computed from; `null` where a reward function failed. */
  reward: z.number().nullable(),
  /** By reward function, before weights. */
  rewards: z.record(z.string(), z.number().nullable()).optional(),
  /** Places at which latents went in. */
  woven: z.int().nonnegative().optional(),
  /** Places at which they could have. */
  decisions: z.int().nonnegative().optional(),
});

/** One line of samples.jsonl; further members are kept. */
export type SampleRecord = z.infer<typeof sampleSchema>;

export const samplesName = 'samples.jsonl';

/** The samples of the run in `folder`, in the order they were written. @throws MemGenError naming a damaged line. */
export function readSamples(folder: string): SampleRecord[] {
  return readJsonLines(join(folder, samplesName), (value) => sampleSchema.parse(value));
}

/** More of a sample is in samples.jsonl. */
const maxCharacters = 4000;

/** A sample in Markdown, as TensorBoard shows texts. Indented lines are shown as they are, whatever they say. */
export function sampleMarkdown({ prompt, completion, reward, woven }: SampleRecord): string {
  const verbatim = (text: string): string => {
    const short = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}\u2026` : text;
    return short
      .split('\n')
      .map((line) => `    ${line}`)
      .join('\n');
  };
  const facts = [`reward ${reward ?? 'none'}`, ...(woven === undefined ? [] : [`latents at ${woven} places`])];
  return `${facts.join(', ')}\n\nprompt\n\n${verbatim(prompt)}\n\ncompletion\n\n${verbatim(completion)}`;
}
