// The composed model: what each mode switches on, and that vanilla is the bare reasoner.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/index.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { generate } from '../generation/index.js';
import { tinyLora, useTinyModels } from '../generation/tiny-models.test-helper.js';
import { randomIds } from '../model/tiny-decoder.test-helper.js';
import type { Reasoner } from '../reasoner/index.js';
import { MemGen, type ComposedGenerateOptions, type MemGenMode, type MemGenOptions } from './memgen-model.js';
import { evaluationLoss, trainingLoss } from './training-loss.js';
import { variedRows } from './woven-rows.test-helper.js';

const models = useTinyModels((decoder) => ({
  weaver: tinyWeaver(decoder),
  trigger: LanguageModelTrigger.initialize(decoder, { lora: tinyLora }, Random.fromSeed(2)),
}));
const prompts = [randomIds(7, 1), randomIds(3, 2)];

function reasoner(): Reasoner {
  const origin = { source: 'someone/model', format: 'safetensors' as const, configHash: 'a'.repeat(64) };
  return { decoder: models.decoder, tokenizer: models.tokenizer, parameterCount: 1, origin };
}

function compose(more: Partial<MemGenOptions> = {}): MemGen {
  return new MemGen({ reasoner: reasoner(), weaver: models.weaver, trigger: models.trigger, ...more });
}

/** Ids and the logits of every step. */
async function runWithLogits(run: (options: ComposedGenerateOptions) => Promise<{ ids: number[] }[]>) {
  const logits: Float32Array[] = [];
  const rows = await run({ maxNewTokens: 16, endIds: [], _onLogits: (_, __, values) => logits.push(values.slice()) });
  return { ids: rows.map(({ ids }) => ids), logits };
}

describe('the modes', () => {
  it('vanilla is the bare reasoner, bit for bit, whatever the other modes did before', async () => {
    const model = compose();
    await model.generate(prompts, { maxNewTokens: 4 });
    model.mode = 'vanilla';
    const bare = await runWithLogits((options) => generate(models, prompts, options));
    expect(await runWithLogits((options) => model.generate(prompts, options))).toEqual(bare);
    model.mode = 'weaver';
    const woven = await runWithLogits((options) => model.generate(prompts, options));
    expect(woven.logits[0]).not.toEqual(bare.logits[0]);
    model.dispose();
  });

  it.each<[MemGenMode, boolean, boolean]>([
    ['weaver', true, false],
    ['weaver+trigger', true, true],
  ])('%s generates as with these parts', async (mode, weaver, trigger) => {
    const model = compose({ mode });
    const parts = { ...(weaver && { weaver: models.weaver }), ...(trigger && { trigger: models.trigger }) };
    const options = { maxNewTokens: 16, endIds: [], triggerTemperature: 5 };
    expect(await model.generate(prompts, options)).toEqual(await generate(models, prompts, { ...options, ...parts }));
    const stream = model.stream(prompts, options);
    let next = await stream.next();
    while (next.done !== true) next = await stream.next();
    expect(next.value).toEqual(await model.generate(prompts, options));
  });

  it('random-weaver has a new weaver of the same settings, the same for the same seed', async () => {
    const options = { maxNewTokens: 16, endIds: [] };
    const run = async (seed?: number) => {
      const model = compose({ mode: 'random-weaver', ...(seed !== undefined && { random: Random.fromSeed(seed) }) });
      const { weaver, trigger } = model.active;
      expect(trigger).toBeUndefined();
      expect(weaver!.latentCounts).toEqual(models.weaver.latentCounts);
      expect(await weaver!.isTrained!()).toBe(false);
      const shapes = (of: typeof weaver) => [...of!.parameters()].map(([name, { shape }]) => [name, shape]);
      expect(shapes(weaver)).toEqual(shapes(models.weaver));
      expect(model.active.weaver).toBe(weaver);
      const { logits } = await runWithLogits((more) => model.generate(prompts, { ...more, ...options }));
      model.dispose();
      return logits[0];
    };
    expect(await run()).toEqual(await run());
    expect(await run(1)).not.toEqual(await run());
  });

  it('is by default the most that the parts allow', () => {
    expect(compose().mode).toBe('weaver+trigger');
    expect(compose({ trigger: undefined }).mode).toBe('weaver');
    expect(compose({ weaver: undefined }).mode).toBe('vanilla');
  });

  it('is refused when its parts are not there', () => {
    const refused = (mode: MemGenMode, parts: Partial<MemGenOptions>) => {
      expect(() => compose({ ...parts, mode })).toThrow(expect.objectContaining({ code: 'memgen-mode' }));
    };
    refused('weaver', { weaver: undefined });
    refused('weaver+trigger', { trigger: undefined });
    refused('random-weaver', { weaver: undefined });
    refused('random-weaver', { weaver: Object.assign(Object.create(models.weaver) as object, { untrained: undefined }) as typeof models.weaver }); // prettier-ignore
    const model = compose({ trigger: undefined });
    expect(() => {
      model.mode = 'weaver+trigger';
    }).toThrow('needs a trigger');
    expect(model.mode).toBe('weaver');
  });

  it('takes the settings of its checkpoint as defaults', async () => {
    const model = compose({ mode: 'weaver', generation: { maxInferencePoints: 0 } });
    const options = { maxNewTokens: 24, endIds: [] };
    const woven = async (more: object) =>
      (await model.generate(prompts, { ...options, ...more })).flatMap(({ augmentations }) => augmentations).filter((augmentation) => augmentation === 1).length; // prettier-ignore
    expect(await woven({})).toBe(2);
    expect(await woven({ maxInferencePoints: 5 })).toBeGreaterThan(2);
  });
});

describe('losses', () => {
  it('are those of the parts that are on', async () => {
    const model = compose();
    const rows = variedRows;
    const composed = await model.trainingLoss(rows);
    const direct = await trainingLoss(models.decoder, rows, { weaver: models.weaver });
    expect(composed.loss).toBe(direct.loss);
    expect([...composed.gradients.keys()]).toEqual([...direct.gradients.keys()]);
    tf.dispose([...composed.gradients.values(), ...direct.gradients.values()]);
    expect((await model.evaluationLoss(rows)).loss).toBeCloseTo(direct.loss, 6);

    model.mode = 'vanilla';
    const bare = rows.map((row) => ({ ...row, points: [] }));
    expect(await model.evaluationLoss(rows)).toEqual(await evaluationLoss(models.decoder, bare));
    await expect(model.trainingLoss(rows)).rejects.toMatchObject({ code: 'memgen-mode', got: 'vanilla' });
  });
});
