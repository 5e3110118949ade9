// Decides before each token of a batch whether latents are woven in.
import { readerOpener } from '../inference/index.js';
import type { GenerateOptions } from './generate-options.js';
import type { Augmentation } from './generated-row.js';
import type { GenerationRow } from './generation-row.js';
import { decides, TriggerReader } from './trigger-reader.js';

/** What happens before the next token of a row. */
export interface WeavingDecision {
  augmentation: Augmentation;
  /** The trigger's probability of weaving, where it was asked. */
  weaveProbability?: number;
}

/** Owns the trigger's session over the batch. */
export class WeavingDecisions {
  private readonly judge: TriggerReader | undefined;

  /** @param prompts - the trigger reads each once, however many rows go on from it. */
  constructor(
    prompts: readonly (readonly number[])[],
    padId: number,
    private readonly options: Pick<
      GenerateOptions,
      'weaver' | 'trigger' | 'triggerTemperature' | 'prefillChunk' | 'decoding'
    >,
  ) {
    const { weaver, trigger, prefillChunk: chunk = 512, decoding = 'auto' } = options;
    if (weaver === undefined || trigger === undefined) return;
    this.judge = new TriggerReader(
      trigger,
      prompts.map((prompt) => [...prompt]),
      { padId, chunk, open: readerOpener({ decoding, chunk }) },
    );
  }

  /**
   * What happens before the next token of each row.
   * @param rows - as many as there are in the batch, or the same number of rows of each prompt, in the order of prompts.
   */
  async decide(rows: readonly GenerationRow[]): Promise<WeavingDecision[]> {
    const { triggerTemperature = 0 } = this.options;
    const atPoint = rows.map((row) => row.isAtPoint);
    const { judge } = this;
    const samples = rows.length / (judge?.size ?? rows.length);
    const asked = Array.from({ length: rows.length / samples }, (_, i) =>
      atPoint.slice(i * samples, (i + 1) * samples).includes(true),
    );
    const logits = asked.includes(true) ? await judge?.judge(asked) : undefined;
    return rows.map(({ streams }, b) => {
      if (!atPoint[b]!) return { augmentation: -100 };
      if (logits === undefined) return { augmentation: 1 };
      const own = logits[Math.floor(b / samples)];
      if (own === undefined) return { augmentation: 0 };
      return {
        augmentation: decides(own, triggerTemperature, streams.trigger) ? 1 : 0,
        weaveProbability: 1 / (1 + Math.exp(own[0]! - own[1]!)),
      };
    });
  }

  /** Shows the trigger a new token of a row. */
  push(row: number, id: number): void {
    this.judge?.push(row, id);
  }

  /** Goes on with the given rows only; a row may be repeated. */
  select(rows: readonly number[]): void {
    this.judge?.select(rows);
  }

  dispose(): void {
    this.judge?.dispose();
  }
}
