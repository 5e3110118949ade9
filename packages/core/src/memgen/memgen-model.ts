// MemGen as one model: a reasoner with the weaver and trigger that are switched on.
import { MemGenError, Random, replaceFolder } from '@memgen/common';
import {
  generate,
  streamGenerate,
  type GeneratedRow,
  type GeneratedToken,
  type GenerateOptions,
} from '../generation/index.js';
import type { Reasoner, ReasonerOrigin } from '../reasoner/reasoner.js';
import { saveMemGen, type WeavingSettings } from './checkpoint.js';
import { loadPretrained, type LoadPretrainedOptions } from './load-pretrained.js';
import type { PartName } from './manifest.js';
import { evaluationLoss, trainingLoss, type TrainingLoss, type TrainingLossOptions } from './training-loss.js';
import type { Trigger } from './trigger.js';
import type { Weaver } from './weaver.js';
import type { WovenRow } from './woven-forward.js';

/**
 * What takes part:
 * - `vanilla`: the reasoner alone, bit for bit as without MemGen;
 * - `weaver`: latents are woven in at every point;
 * - `weaver+trigger`: at the points that the trigger chooses;
 * - `random-weaver`: at every point, by a new, untrained weaver of the same settings: what latents do by being there.
 */
export type MemGenMode = 'vanilla' | 'weaver' | 'weaver+trigger' | 'random-weaver';

export interface MemGenOptions {
  reasoner: Reasoner;
  weaver?: Weaver | undefined;
  trigger?: Trigger | undefined;
  /** @default the most that the parts allow */
  mode?: MemGenMode | undefined;
  /** Defaults of every generation. */
  generation?: WeavingSettings | undefined;
  /** The models under parts that do not sit on the reasoner, as a checkpoint is to name them. */
  bases?: Partial<Record<PartName, ReasonerOrigin>> | undefined;
  /** Stream of the random weaver. @default seed 0 */
  random?: Random;
}

/** Options of a generation; which parts take part is the mode's business. */
export type ComposedGenerateOptions = Omit<GenerateOptions, 'weaver' | 'trigger'>;

/** The parts that a mode switches on. */
export interface ActiveParts {
  weaver?: Weaver;
  trigger?: Trigger;
}

export interface FromPretrainedOptions extends LoadPretrainedOptions {
  /** @default the most that the parts allow; `weaver` where an official checkpoint has its trigger switched off */
  mode?: MemGenMode | undefined;
  /** Stream of the random weaver. @default seed 0 */
  random?: Random | undefined;
}

/**
 * A reasoner, weaver and trigger with one switch. Parts that are handed in are borrowed: who made them disposes them.
 */
export class MemGen {
  readonly reasoner: Reasoner;
  readonly weaver: Weaver | undefined;
  readonly trigger: Trigger | undefined;
  readonly generation: WeavingSettings;
  private readonly bases: MemGenOptions['bases'];
  private readonly random: Random;
  private current: MemGenMode;
  private randomWeaver: Weaver | undefined;
  private owned: { dispose(): void }[] = [];

  /** @throws MemGenError `memgen-mode` for a mode whose parts are not there. */
  constructor({ reasoner, weaver, trigger, mode, generation = {}, bases, random = Random.fromSeed(0) }: MemGenOptions) {
    this.reasoner = reasoner;
    this.weaver = weaver;
    this.trigger = trigger;
    this.generation = generation;
    this.bases = bases;
    this.random = random;
    this.current = 'vanilla';
    this.mode = mode ?? fullestMode(weaver, trigger);
  }

  /**
   * Loads a checkpoint of this project or of the official code, strictly, and the reasoner that it names unless one is
   * given.
   * @param source - a folder, or a folder of a repository on the hub such as
   *   `Kana-s/MemGen/Qwen2.5-1.5B-Instruct/gsm8k/weaver-sft/pn=1_pl=8_in=5_il=8`.
   * @param options - `weaver` and `trigger` say how the parts are read: the classes of `@memgen/weaver` and
   *   `@memgen/trigger` do. Without one of them that part is left out.
   * @throws MemGenError `checkpoint-not-found`, `checkpoint-part`, `checkpoint-reasoner`, `checkpoint-base` for models that
   *   the checkpoint was not trained for (both are named), `memgen-mode`; of finding and reading the files.
   */
  static async fromPretrained(source: string, options: FromPretrainedOptions): Promise<MemGen> {
    const { owned, triggerActive, ...parts } = await loadPretrained(source, options);
    const { mode = triggerActive || parts.weaver === undefined ? undefined : 'weaver', random } = options;
    try {
      const model = new MemGen({ ...parts, mode, ...(random !== undefined && { random }) });
      model.owned = owned;
      return model;
    } catch (error) {
      for (const part of owned) part.dispose();
      throw error;
    }
  }

  get mode(): MemGenMode {
    return this.current;
  }

  /** Takes effect with the next call. @throws MemGenError `memgen-mode` for a mode whose parts are not there. */
  set mode(mode: MemGenMode) {
    const lacking = this.lacking(mode);
    if (lacking !== undefined) {
      throw new MemGenError({ code: 'memgen-mode', message: `the mode ${mode} needs ${lacking}`, got: 'none' });
    }
    this.current = mode;
  }

  /** What the mode switches on; a random weaver is made when it is first needed. */
  get active(): ActiveParts {
    switch (this.current) {
      case 'vanilla':
        return {};
      case 'weaver':
        return { weaver: this.weaver! };
      case 'weaver+trigger':
        return { weaver: this.weaver!, trigger: this.trigger! };
      case 'random-weaver':
        return { weaver: (this.randomWeaver ??= this.weaver!.untrained!(this.random.fork('random weaver'))) };
    }
  }

  /** Continues each prompt. @throws MemGenError as `generate` of this package. */
  generate(prompts: readonly (readonly number[])[], options: ComposedGenerateOptions): Promise<GeneratedRow[]> {
    return generate(this.reasoner, prompts, this.optionsOf(options));
  }

  /** The same as a stream. @throws MemGenError as `streamGenerate` of this package, whose rules hold. */
  stream(
    prompts: readonly (readonly number[])[],
    options: ComposedGenerateOptions,
  ): AsyncGenerator<GeneratedToken, GeneratedRow[], undefined> {
    return streamGenerate(this.reasoner, prompts, this.optionsOf(options));
  }

  /**
   * Loss and gradients of the weaver over rows with their points.
   * @throws MemGenError `memgen-mode` in a mode that has nothing to train.
   */
  async trainingLoss(
    rows: readonly WovenRow[],
    options: Omit<TrainingLossOptions, 'weaver'> = {},
  ): Promise<TrainingLoss> {
    if (this.current === 'vanilla' || this.current === 'random-weaver') {
      throw new MemGenError({
        code: 'memgen-mode',
        message: 'in this mode there is nothing to train',
        got: this.current,
        expected: 'weaver or weaver+trigger',
      });
    }
    return trainingLoss(this.reasoner.decoder, rows, { ...options, weaver: this.weaver });
  }

  /** Mean loss of rows without gradients, in any mode; `vanilla` leaves their points out. */
  async evaluationLoss(rows: readonly WovenRow[]): Promise<{ loss: number; tokens: number }> {
    const { weaver } = this.active;
    const own = weaver === undefined ? rows.map((row) => ({ ...row, points: [] })) : rows;
    return evaluationLoss(this.reasoner.decoder, own, weaver);
  }

  /** Writes a checkpoint folder of the parts, whole or not at all; one that is there is replaced. */
  save(folder: string): Promise<void> {
    const { weaver, trigger, bases, generation } = this;
    const reasoner = this.reasoner.origin;
    return replaceFolder(folder, (temporary) =>
      saveMemGen(temporary, { reasoner, weaver, trigger, bases, generation }),
    );
  }

  /** Frees what it has made or loaded itself. */
  dispose(): void {
    this.randomWeaver?.dispose();
    this.randomWeaver = undefined;
    for (const part of this.owned.splice(0)) part.dispose();
  }

  private optionsOf(options: ComposedGenerateOptions): GenerateOptions {
    return { ...this.generation, ...options, ...this.active };
  }

  private lacking(mode: MemGenMode): string | undefined {
    if (mode === 'vanilla') return undefined;
    if (this.weaver === undefined) return 'a weaver';
    if (mode === 'weaver+trigger' && this.trigger === undefined) return 'a trigger';
    if (mode === 'random-weaver' && this.weaver.untrained === undefined) return 'a weaver that can be made anew';
    return undefined;
  }
}

function fullestMode(weaver: Weaver | undefined, trigger: Trigger | undefined): MemGenMode {
  if (weaver === undefined) return 'vanilla';
  return trigger === undefined ? 'weaver' : 'weaver+trigger';
}
