import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../safetensors/index.js';
import { isSharedMissing, sharedPath } from '../shared-files.test-helper.js';
import { parseAdapterConfig } from './adapter-config.js';
import {
  findTargetModules,
  loraRank,
  loraScaling,
  readPeftAdapter,
  writePeftAdapter,
  type PeftAdapter,
} from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-peft-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const minimal = { peft_type: 'LORA', r: 2, lora_alpha: 8, target_modules: ['q_proj'] };
const parse = (json: Record<string, unknown>) => parseAdapterConfig({ ...minimal, ...json }, 'x');
const queries = 'model.layers.1.self_attn.q_proj';

function adapter(changes: Record<string, unknown> = {}): PeftAdapter {
  const module = {
    rank: 2,
    inputSize: 3,
    outputSize: 1,
    a: Float32Array.of(1, 2, 3, 4, 5, 6),
    b: Float32Array.of(7, 8),
  };
  return { config: parse(changes), modules: new Map([[queries, module]]) };
}

describe('parseAdapterConfig', () => {
  it('fills in the defaults of the format', () => {
    expect(parseAdapterConfig({ peft_type: 'LORA', target_modules: 'all-linear' }, 'x')).toEqual({
      r: 8,
      loraAlpha: 8,
      loraDropout: 0,
      targetModules: 'all-linear',
      excludeModules: null,
      useRslora: false,
      rankPattern: {},
      alphaPattern: {},
      layersToTransform: null,
      layersPattern: [],
      baseModelNameOrPath: null,
      revision: null,
      taskType: null,
    });
  });

  it.each([
    [{ use_dora: true }, /DoRA[\s\S]*use_dora: true/],
    [{ modules_to_save: ['lm_head'] }, /whole retrained modules[\s\S]*lm_head/],
    [{ bias: 'all' }, /retrain biases[\s\S]*bias: "all"/],
    [{ peft_type: 'IA3' }, /peft_type: "IA3"/],
    [{ init_lora_weights: 'pissa_niter_16' }, /changed base weights/],
    [{ lora_bias: true }, /bias of their own/],
    [{ fan_in_fan_out: true }, /Conv1D/],
    [{ trainable_token_indices: [1] }, /token embeddings/],
    [{ target_parameters: ['experts.w1'] }, /bare parameters/],
    [{ use_qalora: true }, /QALoRA/],
    [{ layer_replication: [[0, 2]] }, /replicated layers/],
    [{ megatron_config: { hidden_size: 8 } }, /Megatron/],
    [{ alora_invocation_tokens: [1, 2] }, /activated LoRA/],
    [{ peft_type: 'ADALORA' }, /peft_type: "ADALORA"/],
    [{ init_lora_weights: 'olora' }, /changed base weights[\s\S]*olora/],
    [{ init_lora_weights: 'corda' }, /changed base weights[\s\S]*corda/],
    [{ init_lora_weights: 'loftq' }, /changed base weights[\s\S]*loftq/],
  ])('refuses %j by name', (json, message) => {
    expect(() => parse(json)).toThrow(message);
    expect(() => parse(json)).toThrow(expect.objectContaining({ hint: expect.stringContaining('merge') as string }));
  });

  it.each([true, false, 'gaussian', 'eva', 'orthogonal'])('takes any start that leaves the base alone: %s', (start) => {
    expect(parse({ init_lora_weights: start }).r).toBe(2);
  });

  it.each([
    [{ r: 0 }, /at r/],
    [{ r: 1.5 }, /at r/],
    [{ lora_alpha: 'x' }, /at lora_alpha/],
    [{ lora_dropout: 2 }, /at lora_dropout/],
    [{ target_modules: 5 }, /at target_modules/],
    [{ rank_pattern: { q_proj: -1 } }, /rank_pattern/],
    [{ use_rslora_: true }, /unknown setting "use_rslora_"/],
    [{ target_modules: '.*', layers_to_transform: [1] }, /beside a regular expression/],
    [{ layers_pattern: '(a+)+' }, /no plain name/],
  ])('refuses the wrong %j', (json, message) => {
    expect(() => parse(json)).toThrow(message);
  });

  it('accepts unknown settings that say nothing', () => {
    expect(parse({ use_something_new: false, some_config: null, list: [], peft_version: '0.20.0' }).r).toBe(2);
  });
});

describe('findTargetModules', () => {
  const paths = [0, 1, 2].flatMap((layer) =>
    ['self_attn.q_proj', 'self_attn.v_proj', 'mlp.up_proj'].map((name) => `model.layers.${layer}.${name}`),
  );
  const all = [...paths, 'lm_head'];
  const find = (json: Record<string, unknown>) => findTargetModules(parse(json), all);

  it('takes ends of paths at a dot, and full paths', () => {
    expect(find({ target_modules: ['proj'] })).toEqual([]);
    expect(find({ target_modules: ['self_attn.q_proj', 'lm_head'] })).toEqual([
      ...paths.filter((p) => /q_/.test(p)),
      'lm_head',
    ]);
  });

  it('takes all-linear without the head', () => {
    expect(find({ target_modules: 'all-linear' })).toEqual(paths);
  });

  it('takes a regular expression for whole paths', () => {
    expect(find({ target_modules: 'model.layers.[01].*(q|v)_proj' })).toHaveLength(4);
    expect(find({ target_modules: 'q_proj' })).toEqual([]);
    expect(find({ target_modules: 'a|lm_head' })).toEqual(['lm_head']);
  });

  it('leaves out what is excluded', () => {
    expect(find({ target_modules: 'all-linear', exclude_modules: ['q_proj', 'v_proj'] })).toHaveLength(3);
    expect(find({ target_modules: ['q_proj'], exclude_modules: '.*layers.2.*' })).toHaveLength(2);
  });

  it('keeps to the layers, except for modules named in full', () => {
    expect(find({ layers_to_transform: 2 })).toEqual(['model.layers.2.self_attn.q_proj']);
    expect(find({ layers_to_transform: [0, 1], layers_pattern: ['layers'] })).toHaveLength(2);
    expect(find({ layers_to_transform: [0], layers_pattern: 'blocks' })).toEqual([]);
    expect(find({ layers_to_transform: [0], target_modules: [queries] })).toEqual([queries]);
  });

  it('cannot be made to hang or to misread', () => {
    const evil = '(.*)*(.*)*(.*)*(.*)*(.*)*x';
    expect(() => find({ target_modules: evil })).toThrow(/takes more than/);
    for (const pattern of ['(', 'a)(b', '\\Aq_proj', '(?P<x>q)', '(?i)q']) {
      expect(() => find({ target_modules: pattern }), pattern).toThrow(/cannot be used/);
    }
  });
});

describe('loraScaling', () => {
  it('is alpha / rank, or alpha / sqrt(rank)', () => {
    expect(loraScaling(parse({ r: 4 }), queries)).toBe(2);
    expect(loraScaling(parse({ r: 4, use_rslora: true }), queries)).toBe(4);
  });

  it('follows the first pattern that fits the end of the path', () => {
    const config = parse({
      rank_pattern: { proj: 1, 'layers\\.(0|1)\\..*q_proj': 16, q_proj: 32 },
      alpha_pattern: { '^model.layers.1.self_attn.q_proj': 64, v_proj: 5 },
    });
    expect(loraRank(config, queries)).toBe(16);
    expect(loraScaling(config, queries)).toBe(4);
    expect(loraRank(config, 'model.layers.2.self_attn.q_proj')).toBe(32);
    expect(loraScaling(config, 'model.layers.2.self_attn.v_proj')).toBe(2.5);
  });
});

describe('adapter folders', () => {
  it('come back as they were written, in the layout of the PEFT library', async () => {
    const sub = join(folder, 'round-trip');
    const written = adapter({ use_rslora: true, base_model_name_or_path: 'org/name', task_type: 'CAUSAL_LM' });
    await writePeftAdapter(sub, written);
    expect(await readPeftAdapter(sub)).toEqual(written);
    await writePeftAdapter(sub, written, { dtype: 'BF16' });
    expect((await readPeftAdapter(sub)).modules).toEqual(written.modules);
  });

  it('with keys, ranks or targets that do not fit are refused', async () => {
    const sub = join(folder, 'wrong');
    const a = { name: `base_model.model.${queries}.lora_A.weight`, shape: [2, 3], data: new Float32Array(6) };
    const b = { name: `base_model.model.${queries}.lora_B.weight`, shape: [1, 2], data: new Float32Array(2) };
    const attempt = async (...tensors: Parameters<typeof writeSafetensors>[1]) => {
      await writePeftAdapter(sub, adapter());
      await writeSafetensors(join(sub, 'adapter_model.safetensors'), tensors);
      return readPeftAdapter(sub);
    };
    await expect(attempt(a)).rejects.toThrow(/missing[\s\S]*no .*lora_B/);
    await expect(attempt(a, b, { ...a, name: `${queries}.lora_A.weight` })).rejects.toThrow(/not understood/);
    await expect(attempt(a, b, { ...a, name: a.name.replace('A.w', 'A.default.w') })).rejects.toThrow(/not understood/);
    await expect(attempt({ ...a, shape: [3, 2] }, b)).rejects.toThrow(/rank[\s\S]*got: +3/);
    await expect(attempt({ ...a, shape: [6] }, b)).rejects.toThrow(/must be a matrix/);
    await expect(attempt()).rejects.toThrow(/empty/);
    const other = [a, b].map((tensor) => ({ ...tensor, name: tensor.name.replace('q_proj', 'k_proj') }));
    await expect(attempt(...other)).rejects.toThrow(/does not target[\s\S]*k_proj/);
  });

  it('with pickled weights are refused', async () => {
    const sub = await mkdtemp(join(folder, 'pickle-'));
    await writeFile(join(sub, 'adapter_config.json'), JSON.stringify(minimal));
    await writeFile(join(sub, 'adapter_model.bin'), '');
    await expect(readPeftAdapter(sub)).rejects.toThrow(/pickle/);
  });

  it('are not written with a wrong shape', async () => {
    const { config, modules } = adapter();
    const module = { ...modules.get(queries)!, rank: 1 };
    const attempt = writePeftAdapter(join(folder, 'never'), { config, modules: new Map([[queries, module]]) });
    await expect(attempt).rejects.toMatchObject({ code: 'peft-shape' });
  });
});

describe.each([
  ['qwen2-qv-r4', 2, 2],
  ['llama-all-r2-rslora', 6 / Math.sqrt(2), 7],
])('golden adapter %s', (name, scaling, modulesPerLayer) => {
  const golden = `golden/b_lora/${name}/adapter`;

  it.skipIf(isSharedMissing(golden))('is read and written the same (needs the shared reference data)', async () => {
    const read = await readPeftAdapter(sharedPath(golden));
    const [path] = read.modules.keys();
    expect(loraScaling(read.config, path!)).toBeCloseTo(scaling, 12);
    expect(read.modules.size % modulesPerLayer).toBe(0);
    const sub = join(folder, name);
    await writePeftAdapter(sub, read);
    const bytes = (root: string, file: string) => readFile(join(root, file));
    const config = async (root: string): Promise<unknown> =>
      JSON.parse((await bytes(root, 'adapter_config.json')).toString());
    expect(await config(sub)).toEqual(await config(sharedPath(golden)));
    const weights = 'adapter_model.safetensors';
    expect((await bytes(sub, weights)).equals(await bytes(sharedPath(golden), weights))).toBe(true);
  });
});
