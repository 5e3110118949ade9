// A weaver of one's own: learned latents that are the same whatever was read (prefix tuning, Li and Liang 2021).
import { join } from 'node:path';
import { MemGenError, type Random } from '@memgen/common';
import {
  checkVectors,
  eager,
  openSafetensors,
  readTensors,
  runOne,
  SessionRows,
  writeSafetensors,
  type Decoder,
  type LatentKind,
  type Weaver,
  type WeaverSession,
  type WeaverSessionOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';

const kinds: readonly LatentKind[] = ['prompt', 'inference'];
const fileName = 'prefix.safetensors';

/** Latents `[K, hidden]` of each kind are all there is to train. It needs no base model. */
export class PrefixWeaver implements Weaver {
  constructor(private readonly latents: Readonly<Record<LatentKind, tf.Variable<tf.Rank.R2>>>) {}

  /** Latents start as the embeddings of random tokens, something that the reasoner can read (Lester et al. 2021). */
  static initialize(reasoner: Decoder, counts: Readonly<Record<LatentKind, number>>, random: Random): PrefixWeaver {
    const draw = (count: number) =>
      tf.tidy(() => {
        const ids = Array.from({ length: count }, () => random.int(reasoner.config.vocabularySize));
        return tf.variable(reasoner.embed(ids));
      });
    return new PrefixWeaver({ prompt: draw(counts.prompt), inference: draw(counts.inference) });
  }

  /** Reads what {@link PrefixWeaver.save} wrote. */
  static async load(folder: string, reasonerHidden: number): Promise<PrefixWeaver> {
    const where = join(folder, fileName);
    const tensors = await readTensors(await openSafetensors(where));
    const arrays = kinds.map((kind) => {
      const { shape = [], data } = tensors.get(kind) ?? {};
      if (data !== undefined && shape.length === 2 && shape[1] === reasonerHidden) return { shape, data };
      throw new MemGenError({
        code: 'prefix-weaver',
        where,
        message: `there are no ${kind} latents for this reasoner`,
        got: `[${shape.join(', ')}]`,
        expected: `[any, ${reasonerHidden}]`,
      });
    });
    const [prompt, inference] = arrays.map(({ shape, data }) =>
      tf.tidy(() => tf.variable(tf.tensor2d(data, [shape[0]!, reasonerHidden]))),
    );
    return new PrefixWeaver({ prompt: prompt!, inference: inference! });
  }

  get latentCounts(): Record<LatentKind, number> {
    return { prompt: this.latents.prompt.shape[0], inference: this.latents.inference.shape[0] };
  }

  parameters(): Map<string, tf.Variable> {
    return new Map(Object.entries(this.latents));
  }

  begin(options: WeaverSessionOptions): WeaverSession {
    const { latents } = this;
    const { execution = eager } = options;
    const rows = new SessionRows(options);
    return {
      weave(kind, embeddings, mask) {
        const variable = latents[kind];
        checkVectors(embeddings, rows.read(mask) * mask.length, variable.shape[1]);
        // The last argument names the variables that a piece uses: gradients go there.
        return runOne(execution, () => tf.tile(variable, [mask.length, 1]), [], [variable]);
      },
      select(chosen) {
        rows.select(chosen);
      },
      // What was read is not kept, so there is nothing to free.
      dispose: () => undefined,
    };
  }

  async save(folder: string): Promise<void> {
    const tensors = kinds.map(async (name) => {
      const { shape } = this.latents[name];
      return { name, shape, data: await this.latents[name].data<'float32'>() };
    });
    await writeSafetensors(join(folder, fileName), await Promise.all(tensors));
  }

  dispose(): void {
    tf.dispose(Object.values(this.latents));
  }
}
