// `memgen generate MODEL`: continues a text, or answers a question, as a stream.
import { text as readAll } from 'node:stream/consumers';
import { MemGenError, type ChatMessage } from '@memgen/common';
import { Command, Option } from 'commander';
import { streamGenerate, type GenerateOptions } from '../../generation/index.js';
import { openModel, type OpenedModel } from './generate-model.js';
import { addGenerationOptions, generationSettings, toNumber, type GenerationFlags } from './generate-settings.js';

interface Flags extends GenerationFlags {
  prompt: string;
  samples: number;
  chat?: boolean;
  raw?: boolean;
  json?: boolean;
}

/** Begins the generation. */
type Start = (signal: AbortSignal, more?: Partial<GenerateOptions>) => ReturnType<typeof streamGenerate>;

/** @param input - where the prompt comes from with `--prompt -`. */
export function generateCommand(input: NodeJS.ReadableStream = process.stdin): Command {
  const command = new Command('generate')
    .description('continue a text or answer a message, as a stream')
    .requiredOption('--prompt <text>', 'what to continue or answer; - reads it from the standard input');
  return addGenerationOptions(command)
    .option('--samples <n>', 'continuations', toNumber, 1)
    .option('--chat', "the prompt is a message, put into the model's chat template (default where it has one)")
    .addOption(new Option('--raw', 'the prompt is continued as it stands').conflicts(['chat', 'system', 'thinking']))
    .option('--json', 'print the prompt, the ids and the log-probabilities too, as JSON')
    .action(async (source: string, flags: Flags) => {
      const given = flags.prompt === '-' ? await readAll(input) : flags.prompt;
      if (given === '') throw new MemGenError({ code: 'generate-prompt', message: 'the prompt is empty' });
      const settings = generationSettings(flags);
      const model = await openModel(source, flags);
      try {
        const chat = isChat(model, flags);
        const prompt = chat ? renderPrompt(given, model, flags) : given;
        const start: Start = (signal, more) => {
          // A chat template writes its special tokens itself.
          const ids = model.reasoner.tokenizer.encode(prompt, { addSpecialTokens: !chat });
          return streamGenerate(model.reasoner, [ids], { ...settings, ...more, adapter: model.adapter, signal });
        };
        if (flags.json === true) await printJson(prompt, start);
        else await printText(start, flags.samples);
      } finally {
        model.dispose();
      }
    });
}

/** Whether the prompt is a message. */
function isChat({ reasoner }: OpenedModel, { chat = false, raw = false, system, thinking }: Flags): boolean {
  const isAsked = chat || system !== undefined || thinking !== undefined;
  return !raw && (isAsked || reasoner.tokenizer.chatTemplate !== undefined);
}

/** The exact text that the model reads. */
function renderPrompt(content: string, { template }: OpenedModel, { system, thinking }: Flags): string {
  const messages: ChatMessage[] = [{ role: 'user', content }];
  if (system !== undefined) messages.unshift({ role: 'system', content: system });
  return template.render(messages, { addGenerationPrompt: true, enableThinking: thinking });
}

/** One answer as it comes; several when all are complete. */
async function printText(start: Start, samples: number): Promise<void> {
  const texts: string[] = [];
  await interruptible(async (signal) => {
    for await (const { row, text } of start(signal)) {
      texts[row] = (texts[row] ?? '') + text;
      if (samples === 1) process.stdout.write(text);
    }
  });
  process.stdout.write(samples === 1 ? '\n' : texts.map((text, i) => `[${i + 1}] ${text}\n`).join(''));
}

async function printJson(prompt: string, start: Start): Promise<void> {
  await interruptible(async (signal) => {
    const stream = start(signal, { logProbabilities: true });
    let next = await stream.next();
    while (next.done !== true) next = await stream.next();
    const samples = next.value.map(({ text, finished, ids, logProbabilities }) => {
      return { text, finished, ids, logProbabilities };
    });
    process.stdout.write(`${JSON.stringify({ prompt, samples }, null, 2)}\n`);
  });
}

/** Ctrl-C ends the generation; what was generated stays. */
async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
    process.exitCode = 130;
  };
  process.once('SIGINT', interrupt);
  try {
    await work(interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
