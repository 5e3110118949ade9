// Starts the backend and loads what `memgen generate` and `memgen chat` talk to.
import { startBackend } from '../../backend/index.js';
import { loadAdapter, type LoraAdapter } from '../../model/index.js';
import { loadReasoner, type Reasoner } from '../../reasoner/index.js';
import { ChatTemplate } from '../../text/index.js';
import { progressPrinter } from '../progress-printer.js';
import type { GenerationFlags } from './generate-settings.js';

export interface OpenedModel {
  reasoner: Reasoner;
  adapter: LoraAdapter | undefined;
  /** The model's own, or MemGen's ChatML where it has none. */
  template: ChatTemplate;
  dispose(): void;
}

/** @throws MemGenError of the backend, the model and the adapter. */
export async function openModel(
  source: string,
  { backend, revision, adapter: folder }: Pick<GenerationFlags, 'backend' | 'revision' | 'adapter'>,
): Promise<OpenedModel> {
  await startBackend({ backend });
  const progress = progressPrinter(process.stderr);
  const reasoner = await loadReasoner(source, {
    revision,
    onProgress: ({ file, receivedBytes, totalBytes }) => {
      progress.update(`downloading ${file}`, receivedBytes, totalBytes);
    },
  }).finally(progress.end);
  const { decoder, tokenizer } = reasoner;
  let adapter: LoraAdapter | undefined;
  try {
    const now = () => new Date();
    const hasOwn = tokenizer.chatTemplate !== undefined;
    const template = hasOwn ? ChatTemplate.ofTokenizer(tokenizer, { now, where: source }) : ChatTemplate.chatMl();
    adapter = folder === undefined ? undefined : await loadAdapter(folder, decoder.config);
    const dispose = () => {
      adapter?.dispose();
      decoder.dispose();
    };
    return { reasoner, adapter, template, dispose };
  } catch (error) {
    decoder.dispose();
    throw error;
  }
}
