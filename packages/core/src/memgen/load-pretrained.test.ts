// MemGen.fromPretrained: folders of this project and of the official code, from disk and from a hub.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import { modelFolder } from '@memgen/tiny-reasoner';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/index.js';
import { LatentWeaver } from '../../../weaver/src/index.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { startBackend } from '../backend/index.js';
import { isSharedMissing, sharedPath } from '../formats/shared-files.test-helper.js';
import { startTestHub } from '../hub/hub-server.test-helper.js';
import { loadReasoner, type Reasoner } from '../reasoner/index.js';
import { MemGen } from './memgen-model.js';
import type { Weaver } from './weaver.js';

const parts = { weaver: LatentWeaver, trigger: LanguageModelTrigger };
const lora = { r: 2, alpha: 4, targetModules: ['q_proj'] };
let root: string;
/** A checkpoint of weaver and trigger over the tiny reasoner, and a reasoner of another configuration. */
let [checkpoint, other] = ['', ''];
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  root = await mkdtemp(join(tmpdir(), 'memgen-pretrained-'));
  [checkpoint, other] = [join(root, 'checkpoint'), join(root, 'other')];
  const reasoner = await loadReasoner(modelFolder());
  const model = new MemGen({
    reasoner,
    weaver: tinyWeaver(reasoner.decoder),
    trigger: LanguageModelTrigger.initialize(reasoner.decoder, { lora }, Random.fromSeed(3)),
    generation: { maxInferencePoints: 2, delimiterRule: 'sentence', minimumPointDistance: 3 },
  });
  await model.save(checkpoint);
  model.weaver!.dispose();
  model.trigger!.dispose();
  reasoner.decoder.dispose();
  await cp(modelFolder(), other, { recursive: true });
  const path = join(other, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await rm(path);
  await writeFile(path, JSON.stringify({ ...config, rope_theta: 12345 }));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

function valuesOf(part: Pick<Weaver, 'parameters'>): Map<string, unknown> {
  return new Map([...part.parameters()].map(([name, variable]) => [name, variable.arraySync()]));
}

describe('a folder of this project', () => {
  it('loads with the reasoner that it names, its parts and settings', async () => {
    const model = await MemGen.fromPretrained(checkpoint, parts);
    expect(model.mode).toBe('weaver+trigger');
    expect(model.reasoner.origin.source).toBe(modelFolder());
    expect(model.generation).toEqual({ maxInferencePoints: 2, delimiterRule: 'sentence', minimumPointDistance: 3 });
    const weaver = await LatentWeaver.load(join(checkpoint, 'weaver'), model.reasoner.decoder);
    expect(valuesOf(model.weaver!)).toEqual(valuesOf(weaver));
    const [row] = await model.generate([model.reasoner.tokenizer.encode('How much?')], { maxNewTokens: 4 });
    expect(row!.augmentations[0]).not.toBe(-100);
    weaver.dispose();
    model.dispose();
  });

  it('loads over a reasoner that is loaded already, which stays', async () => {
    const reasoner = await loadReasoner(modelFolder());
    const model = await MemGen.fromPretrained(checkpoint, { ...parts, reasoner, mode: 'vanilla' });
    expect(model.reasoner).toBe(reasoner);
    expect(model.mode).toBe('vanilla');
    model.dispose();
    expect(reasoner.decoder.weights.head.isDisposed).toBe(false);
    reasoner.decoder.dispose();
  });

  it('loads one part alone', async () => {
    const weaver = await MemGen.fromPretrained(checkpoint, { weaver: LatentWeaver });
    expect([weaver.mode, weaver.trigger]).toEqual(['weaver', undefined]);
    weaver.dispose();
    const trigger = await MemGen.fromPretrained(checkpoint, { trigger: LanguageModelTrigger });
    expect([trigger.mode, trigger.weaver]).toEqual(['vanilla', undefined]);
    expect(trigger.trigger).toBeInstanceOf(LanguageModelTrigger);
    trigger.dispose();
    await expect(MemGen.fromPretrained(checkpoint, {})).rejects.toMatchObject({ code: 'checkpoint-part' });
  });

  it('refuses another reasoner with both names, and leaves nothing loaded', async () => {
    await expect(MemGen.fromPretrained(checkpoint, { ...parts, reasoner: other })).rejects.toMatchObject({
      code: 'checkpoint-base',
      got: expect.stringContaining(other),
      expected: expect.stringContaining(modelFolder()),
    });
  });

  it('refuses a mode that its parts do not allow, and leaves nothing loaded', async () => {
    const options = { weaver: LatentWeaver, mode: 'weaver+trigger' as const };
    await expect(MemGen.fromPretrained(checkpoint, options)).rejects.toMatchObject({ code: 'memgen-mode' });
  });

  it('knows the model under a weaver that does not sit on the reasoner', async () => {
    const folder = join(root, 'hetero');
    const [reasoner, base] = [await loadReasoner(modelFolder()), await loadReasoner(other)];
    const weaver = tinyWeaver(base.decoder);
    await new MemGen({ reasoner, weaver, bases: { weaver: base.origin } }).save(folder);
    const model = await MemGen.fromPretrained(folder, { ...parts, reasoner });
    expect(model.weaver).toBeInstanceOf(LatentWeaver);
    expect((model.weaver as LatentWeaver).base.config.rotary).toEqual(base.decoder.config.rotary);
    expect((model.weaver as LatentWeaver).base).not.toBe(reasoner.decoder);
    await expect(MemGen.fromPretrained(folder, { ...parts, reasoner, weaverBase: reasoner })).rejects.toMatchObject({
      code: 'checkpoint-base',
      message: expect.stringContaining('base of the weaver'),
      got: expect.stringContaining(modelFolder()),
      expected: expect.stringContaining(other),
    });
    model.dispose();
    for (const owner of [weaver, base.decoder, reasoner.decoder]) owner.dispose();
  });
});

it('loads a folder of a repository on the hub', async () => {
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(checkpoint, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[`tiny/shop/pn=1_pl=3${path.slice(checkpoint.length)}`] = await readFile(path);
  }
  const hub = await startTestHub(files, 'someone/checkpoints');
  const environment = { HF_HOME: join(root, 'cache') };
  try {
    const options = { ...parts, endpoint: hub.endpoint, environment, reasoner: modelFolder() };
    const model = await MemGen.fromPretrained('someone/checkpoints/tiny/shop/pn=1_pl=3', options);
    const local = await MemGen.fromPretrained(checkpoint, parts);
    expect(valuesOf(model.weaver!)).toEqual(valuesOf(local.weaver!));
    expect(valuesOf(model.trigger!)).toEqual(valuesOf(local.trigger!));
    model.dispose();
    local.dispose();
  } finally {
    await hub.close();
  }
});

describe.skipIf(isSharedMissing('golden', 'c_memgen'))('a folder of the official code (needs the golden files)', () => {
  const official = sharedPath('golden', 'c_memgen', 'qwen2', 'checkpoint');
  const [base, llama] = [sharedPath('golden', 'models', 'qwen2-mem'), sharedPath('golden', 'models', 'llama-mem')];
  let reasoner: Reasoner;
  beforeAll(async () => {
    reasoner = await loadReasoner(base);
    before = tf.memory().numTensors;
  });
  afterAll(() => {
    reasoner.decoder.dispose();
  });

  it('loads with its adapters', async () => {
    const model = await MemGen.fromPretrained(official, { ...parts, reasoner });
    expect(model.mode).toBe('weaver+trigger');
    expect(model.generation).toEqual({ maxInferencePoints: 5 });
    const weaver = await LatentWeaver.loadOfficial(official, reasoner.decoder);
    expect(valuesOf(model.weaver!)).toEqual(valuesOf(weaver));
    expect(await weaver.isTrained()).toBe(true);
    weaver.dispose();
    model.dispose();
  });

  it('leaves a trigger alone that is switched off there', async () => {
    const folder = join(root, 'switched-off');
    await cp(official, folder, { recursive: true });
    const path = join(folder, 'config.json');
    const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await rm(path);
    await writeFile(path, JSON.stringify({ ...config, trigger_active: false, max_inference_aug_num: 0 }));
    const model = await MemGen.fromPretrained(folder, { ...parts, reasoner });
    expect([model.mode, model.generation]).toEqual(['weaver', { maxInferencePoints: 0 }]);
    model.mode = 'weaver+trigger';
    model.dispose();
  });

  it('refuses a reasoner of another shape with both names', async () => {
    await expect(MemGen.fromPretrained(official, { ...parts, reasoner: llama })).rejects.toMatchObject({
      code: 'checkpoint-base',
      got: expect.stringMatching(/llama-mem \(llama, vocabulary 352/),
      expected: expect.stringMatching(/\(qwen2, vocabulary 385/),
    });
  });

  it('asks for the reasoner where the folder names none', async () => {
    const folder = join(root, 'nameless');
    await cp(official, folder, { recursive: true });
    const path = join(folder, 'weaver', 'weaver', 'adapter_config.json');
    const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await rm(path);
    await writeFile(path, JSON.stringify({ ...config, base_model_name_or_path: null }));
    await expect(MemGen.fromPretrained(folder, parts)).rejects.toMatchObject({ code: 'checkpoint-reasoner' });
  });
});
