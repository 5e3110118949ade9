// `memgen chat MODEL`: a conversation line by line, on a terminal or through a pipe.
import { createInterface, type Interface } from 'node:readline';
import { Command } from 'commander';
import { ChatConversation } from './chat-conversation.js';
import { openModel } from './generate-model.js';
import { addGenerationOptions, generationSettings, type GenerationFlags } from './generate-settings.js';

/** @param input - what the person says, one message a line. */
export function chatCommand(input: NodeJS.ReadableStream & { isTTY?: boolean } = process.stdin): Command {
  const command = new Command('chat').description(
    'talk to a model: one message a line; /reset forgets the conversation, /exit leaves, Ctrl-C stops an answer',
  );
  return addGenerationOptions(command).action(async (source: string, flags: GenerationFlags) => {
    const generation = generationSettings(flags);
    const model = await openModel(source, flags);
    const terminal = input.isTTY === true && process.stdout.isTTY;
    const lines = createInterface({ input, terminal, ...(terminal && { output: process.stdout, prompt: '> ' }) });
    try {
      const conversation = new ChatConversation(model, {
        generation,
        system: flags.system,
        enableThinking: flags.thinking,
      });
      await talk(conversation, lines, terminal);
    } finally {
      lines.close();
      model.dispose();
    }
  });
}

/** Answers line after line until there are no more, `/exit`, or the second Ctrl-C in a row. */
async function talk(conversation: ChatConversation, lines: Interface, terminal: boolean): Promise<void> {
  let interruption = new AbortController();
  let isAnswering = false;
  let interrupts = 0;
  const interrupt = (): void => {
    interruption.abort();
    if (++interrupts > 1) lines.close();
    else if (!isAnswering) process.stderr.write('\nCtrl-C again, or /exit, leaves.\n');
    if (terminal && !isAnswering && interrupts === 1) lines.prompt();
  };
  // A terminal in readline's hands reports the key itself.
  lines.on('SIGINT', interrupt);
  process.on('SIGINT', interrupt);
  try {
    if (terminal) lines.prompt();
    for await (const line of lines) {
      const said = line.trim();
      interrupts = 0;
      if (said === '/exit') break;
      if (said === '/reset') conversation.reset();
      else if (said !== '') {
        interruption = new AbortController();
        isAnswering = true;
        for await (const text of conversation.answer(said, interruption.signal)) process.stdout.write(text);
        process.stdout.write('\n');
        isAnswering = false;
        if (interrupts > 1) break;
      }
      if (terminal) lines.prompt();
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
}
