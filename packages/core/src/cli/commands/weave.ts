// `memgen weave [CHECKPOINT] --prompt TEXT --html FILE`: a page that shows a generation with memory beside one without.
import { isAbsolute } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import * as tf from '@tensorflow/tfjs';
import { MemGenError, Random, writeFileAtomically, type ChatMessage } from '@memgen/common';
import { Command, InvalidArgumentError, Option } from 'commander';
import { backendNames } from '../../backend/index.js';
import type { GeneratedRow } from '../../generation/index.js';
import type { ComposedGenerateOptions, MemGen, MemGenMode } from '../../memgen/index.js';
import { ChatTemplate, type DelimiterRule } from '../../text/index.js';
import { renderTracePage, type PlainAnswer } from '../../trace-page/index.js';
import { importParts, type InstalledParts } from '../import-parts.js';
import { toNumber } from './generate-settings.js';
import { openWeaving, type OpenedWeaving, type WeaveModelFlags } from './weave-model.js';

interface Flags extends WeaveModelFlags {
  prompt: string;
  html: string;
  system?: string;
  raw?: boolean;
  maxTokens: number;
  maxPoints?: number;
  pointDistance?: number;
  sentences?: boolean;
  temperature: number;
}

const modes: MemGenMode[] = ['weaver', 'weaver+trigger', 'random-weaver'];

/**
 * @param input - where the prompt comes from with `--prompt -`.
 * @param load - brings the classes of weaver and trigger.
 */
export function weaveCommand(
  input: NodeJS.ReadableStream = process.stdin,
  load: () => Promise<InstalledParts> = importParts,
): Command {
  return new Command('weave')
    .description('answer a prompt with memory and without, and write a page that shows what was woven in where')
    .argument('[checkpoint]', 'folder with memgen.json, or organisation/name/folder on the hub (default: a new weaver)')
    .requiredOption('--prompt <text>', 'what to answer; - reads it from the standard input')
    .requiredOption('--html <file>', 'the page to write')
    .option('--reasoner <model>', 'the model to answer (default: the one that the checkpoint names)')
    .addOption(new Option('--mode <mode>', 'what takes part (default: all that the checkpoint has)').choices(modes))
    .option('--max-tokens <n>', 'most new tokens', toCount, 128)
    .option('--max-points <n>', 'most points in the answer (default: as in training, else 5)', toCount)
    .option('--point-distance <n>', 'fewest tokens between two points', toCount)
    .option('--sentences', 'weave at ends of sentences only')
    .option('--temperature <t>', 'of the sampling; 0 is greedy', toNumber, 0)
    .option('--seed <n>', 'of the sampling, and of a new weaver', toNumber, 0)
    .option('--system <text>', 'system message')
    .addOption(new Option('--raw', 'the prompt is continued as it stands').conflicts('system'))
    .option('--revision <name>', 'branch, tag or commit of a checkpoint on the hub')
    .addOption(new Option('--backend <name>', 'what computes').choices(['auto', ...backendNames]).default('auto'))
    .action(async (checkpoint: string | undefined, flags: Flags) => {
      const prompt = flags.prompt === '-' ? await readAll(input) : flags.prompt;
      if (prompt === '') throw new MemGenError({ code: 'generate-prompt', message: 'the prompt is empty' });
      const opened = await openWeaving(checkpoint, flags, await load());
      try {
        await weave(opened, { ...flags, prompt }, checkpoint);
      } finally {
        opened.dispose();
      }
    });
}

async function weave(opened: OpenedWeaving, flags: Flags, checkpoint: string | undefined): Promise<void> {
  const { model, remark } = opened;
  const { tokenizer } = model.reasoner;
  const ids = tokenizer.encode(flags.raw === true ? flags.prompt : rendered(flags), {
    addSpecialTokens: flags.raw === true,
  });
  const { mode } = model;
  // What is set up at the first tokens is not to be measured.
  await model.generate([ids], { maxNewTokens: 2 });
  const woven = await answer(model, ids, flags);
  model.mode = 'vanilla';
  const plain = await answer(model, ids, flags);
  model.mode = mode;
  const page = renderTracePage({
    prompt: flags.prompt,
    woven: { ...woven, points: woven.row.trace!.points },
    plain,
    embeddingNorm: await averageEmbedding(model),
    remark,
    facts: factsOf(opened, flags, checkpoint),
  });
  await writeFileAtomically(flags.html, page);
  const points = woven.row.trace!.points.filter((point) => point.woven).length;
  process.stdout.write(
    `with memory:    ${woven.row.text}\nwithout memory: ${plain.row.text}\n${flags.html}: woven in at ${points} ${points === 1 ? 'point' : 'points'}\n`,
  );
}

/** MemGen's own template, in which weavers are trained, whatever the model's is. */
const placesOf: Record<DelimiterRule, string> = {
  reference: 'commas, periods and newlines',
  sentence: 'ends of sentences',
  token: 'all tokens',
};

function rendered({ prompt, system }: Flags): string {
  const messages: ChatMessage[] = [{ role: 'user', content: prompt }];
  if (system !== undefined) messages.unshift({ role: 'system', content: system });
  return ChatTemplate.chatMl().render(messages, { addGenerationPrompt: true });
}

async function answer(
  model: MemGen,
  ids: readonly number[],
  flags: Flags,
): Promise<PlainAnswer & { row: GeneratedRow }> {
  const stream = model.stream([ids], settingsOf(flags));
  const pieces: string[] = [];
  let next = await stream.next();
  for (; next.done !== true; next = await stream.next()) pieces.push(next.value.text);
  const row = next.value[0]!;
  return { pieces, row, milliseconds: row.trace!.milliseconds! };
}

function settingsOf({
  maxTokens,
  maxPoints,
  pointDistance,
  sentences,
  temperature,
  seed,
}: Flags): ComposedGenerateOptions {
  return {
    maxNewTokens: maxTokens,
    sampling: { temperature },
    random: Random.fromSeed(seed),
    trace: true,
    clock: () => performance.now(),
    ...(maxPoints !== undefined && { maxInferencePoints: maxPoints }),
    ...(pointDistance !== undefined && { minimumPointDistance: pointDistance }),
    ...(sentences === true && { delimiterRule: 'sentence' as const }),
  };
}

/** Mean length of embeddings; a few thousand tell as much as all. */
async function averageEmbedding({ reasoner: { decoder } }: MemGen): Promise<number> {
  const count = Math.min(decoder.config.vocabularySize, 4096);
  const ids = Array.from({ length: count }, (_, id) => id);
  const mean = tf.tidy(() => tf.mean(tf.norm(decoder.embed(ids), 'euclidean', 1)));
  const [value] = await mean.data<'float32'>();
  mean.dispose();
  return value!;
}

function factsOf({ model, backend }: OpenedWeaving, flags: Flags, checkpoint: string | undefined) {
  const { prompt, inference } = model.active.weaver!.latentCounts;
  const rule = flags.sentences === true ? 'sentence' : model.generation.delimiterRule;
  const { source, revision } = model.reasoner.origin;
  return [
    {
      label: 'Reasoner',
      value: revision === undefined ? shortPath(source) : `${source}, revision ${revision.slice(0, 12)}`,
    },
    { label: 'Weaver', value: checkpoint === undefined ? 'new' : shortPath(checkpoint) },
    { label: 'Mode', value: model.mode },
    { label: 'Latents at a point', value: `${prompt} after the prompt, ${inference} in the text` },
    {
      label: 'Sampling',
      value: flags.temperature === 0 ? 'greedy' : `temperature ${flags.temperature}, seed ${flags.seed}`,
    },
    { label: 'Points', value: placesOf[rule ?? 'reference'] },
    { label: 'Computed by', value: backend },
  ];
}

/** Pages are shown to others: of an absolute path they need the end only. */
function shortPath(path: string): string {
  return isAbsolute(path) ? path.split(/[\\/]/).slice(-2).join('/') : path;
}

function toCount(text: string): number {
  const count = toNumber(text);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new InvalidArgumentError('A whole number is expected.');
}
