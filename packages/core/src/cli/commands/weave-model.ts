// Opens what `memgen weave` shows: a checkpoint with its reasoner, or a new weaver over one.
import { MemGenError, Random } from '@memgen/common';
import { startBackend, type BackendName } from '../../backend/index.js';
import { MemGen, type MemGenMode } from '../../memgen/index.js';
import { loadReasoner } from '../../reasoner/index.js';
import type { InstalledParts } from '../import-parts.js';
import { progressPrinter } from '../progress-printer.js';

export interface WeaveModelFlags {
  reasoner?: string;
  mode?: MemGenMode;
  revision?: string;
  backend: BackendName | 'auto';
  seed: number;
}

export interface OpenedWeaving {
  model: MemGen;
  backend: string;
  /** What readers of the page must know about the weaver. */
  remark: string | undefined;
  dispose(): void;
}

/** The settings of the paper's code. */
const lora = { r: 16, alpha: 32, targetModules: ['q_proj', 'v_proj'] };
const untrained =
  'This weaver was never trained: what it weaves in is noise, and shows only what latents do by being there.';

/** @throws MemGenError `weave-model` without a checkpoint and a reasoner; of the backend and of loading. */
export async function openWeaving(
  checkpoint: string | undefined,
  { reasoner: name, mode, revision, backend, seed }: WeaveModelFlags,
  parts: InstalledParts,
): Promise<OpenedWeaving> {
  if (checkpoint === undefined && name === undefined) {
    throw new MemGenError({
      code: 'weave-model',
      message: 'there is nothing to weave with',
      expected: 'a checkpoint, or --reasoner MODEL for a new weaver over a model',
    });
  }
  const { name: engine } = await startBackend({ backend });
  const progress = progressPrinter(process.stderr);
  const random = Random.fromSeed(seed);
  const options = {
    onProgress: ({
      file,
      receivedBytes,
      totalBytes,
    }: {
      file: string;
      receivedBytes: number;
      totalBytes?: number | undefined;
    }) => {
      progress.update(`downloading ${file}`, receivedBytes, totalBytes);
    },
  };
  try {
    if (checkpoint !== undefined) {
      const more = { ...options, ...parts, reasoner: name, mode, revision, random };
      const model = await MemGen.fromPretrained(checkpoint, more);
      if (model.weaver === undefined) {
        model.dispose();
        throw new MemGenError({ code: 'weave-model', where: checkpoint, message: 'the checkpoint has no weaver' });
      }
      const dispose = () => {
        model.dispose();
      };
      const isNew = model.mode === 'random-weaver' || (await model.weaver.isTrained?.()) === false;
      return { model, backend: engine, remark: isNew ? untrained : undefined, dispose };
    }
    const reasoner = await loadReasoner(name!, options);
    const { decoder } = reasoner;
    const weaver = parts.weaver.initialize(decoder, decoder.config.hiddenSize, { lora }, random.fork('weaver'));
    const dispose = () => {
      model.dispose();
      weaver.dispose();
      decoder.dispose();
    };
    const model = new MemGen({ reasoner, weaver, random });
    return { model, backend: engine, remark: untrained, dispose };
  } finally {
    progress.end();
  }
}
