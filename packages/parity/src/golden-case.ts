// One recorded case: its files, and everything that was opened or made to check it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, toFileError } from '@memgen/common';
import {
  Decoder,
  loadDecoderWeights,
  openSafetensors,
  readDecoderConfig,
  Tokenizer,
  type TensorSource,
} from '@memgen/core';
import { z } from 'zod';
import { GoldenTensors } from './golden-tensors.js';

export interface GoldenCaseOptions {
  /** Place in the layout, e.g. `c_memgen/llama/augment`. */
  name: string;
  /** Folder that holds the groups and `models/`. */
  root: string;
  /** SmolLM2-135M-Instruct as a GGUF file or a folder, for the cases that need it. */
  smollm2?: string | undefined;
}

/** Gives a check what it needs and frees it all in {@link GoldenCase.close}. */
export class GoldenCase {
  readonly name: string;
  readonly root: string;
  readonly smollm2: string | undefined;
  private readonly releases: (() => unknown)[] = [];

  constructor({ name, root, smollm2 }: GoldenCaseOptions) {
    this.name = name;
    this.root = root;
    this.smollm2 = smollm2;
  }

  /** Absolute path of a file of the case. */
  path(...parts: string[]): string {
    return join(this.root, this.name, ...parts);
  }

  /** Folder of a base model that several cases share. */
  modelFolder(name: string): string {
    return join(this.root, 'models', name);
  }

  /** Reads a JSON file of the case. @throws MemGenError `parity-file` if it does not have the form of `schema`. */
  async json<Schema extends z.ZodType>(schema: Schema, ...parts: string[]): Promise<z.infer<Schema>> {
    const path = this.path(...parts);
    const parsed = schema.safeParse(await readJson(path));
    if (parsed.success) return parsed.data;
    throw new MemGenError({
      code: 'parity-file',
      where: path,
      message: z.prettifyError(parsed.error),
      hint: 'this folder is not laid out as its kind of case is',
    });
  }

  /** Opens a safetensors file of the case. */
  async tensors(...parts: string[]): Promise<GoldenTensors> {
    const tensors = await GoldenTensors.open(this.path(...parts));
    this.releases.push(() => tensors.close());
    return tensors;
  }

  /** Loads the model of a folder. @param wrap - changes the stored weights on their way in. */
  async decoder(folder: string, wrap: (source: TensorSource) => TensorSource = (source) => source): Promise<Decoder> {
    const path = join(folder, 'config.json');
    const config = readDecoderConfig(await readJson(path), path);
    const source = await openSafetensors(folder);
    try {
      return this.own(new Decoder(config, await loadDecoderWeights(wrap(source), config)));
    } finally {
      await source.close();
    }
  }

  tokenizer(model: string): Promise<Tokenizer> {
    return Tokenizer.fromFolder(this.modelFolder(model));
  }

  /** Disposes `thing` when the case is closed. */
  own<T extends { dispose(): void }>(thing: T): T {
    this.releases.push(() => {
      thing.dispose();
    });
    return thing;
  }

  /** Frees all, latest first. */
  async close(): Promise<void> {
    for (let release = this.releases.pop(); release !== undefined; release = this.releases.pop()) await release();
  }
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw toFileError(error, 'read the file', path);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MemGenError({
      code: 'parity-file',
      where: path,
      message: 'this is not JSON',
      got: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
