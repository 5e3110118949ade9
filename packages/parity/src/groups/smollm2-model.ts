// Group i: the real SmolLM2-135M-Instruct, whose weights are given, and the trainables that were made by formulas.
import { loadReasoner, type LoraConfig, type Reasoner } from '@memgen/core';
import type { Tolerance } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import type { OfficialTensors } from '../golden-tensors.js';

/** Why a case cannot be checked. */
export function needsSmollm2({ smollm2 }: GoldenCase): Promise<string | undefined> {
  return Promise.resolve(
    smollm2 === undefined ? 'the weights are not given: --smollm2 FILE, or MEMGEN_SMOLLM2' : undefined,
  );
}

/** Loads the model; the case owns it. */
export async function smollm2Of(golden: GoldenCase): Promise<Reasoner> {
  const reasoner = await loadReasoner(golden.smollm2!);
  golden.own(reasoner.decoder);
  return reasoner;
}

const [hidden, keyValue, layers, rank, latents] = [576, 192, 30, 16, 8];

/** The adapters of weaver and trigger. */
export const smollm2Lora: LoraConfig = { r: rank, alpha: 2 * rank, targetModules: ['q_proj', 'v_proj'] };

/**
 * The latents run through 30 layers more, and through layer norms of vectors with a few huge entries: what float32 loses
 * in a sum (1e-7) comes out as up to 1e-3 in logits, of tensorflow as of wasm.
 */
export const wovenTolerances = {
  logits: { absolute: 2e-3 },
  loss: { absolute: 5e-5 },
  gradient: { absolute: 2e-5, relative: 1e-2 },
} as const satisfies Record<string, Tolerance>;

/** A value by its flat index and, in a square matrix, whether it is on the diagonal. */
type Formula = (k: number, onDiagonal: boolean) => number;

/** By ends of names; see the README of the golden data. */
const formulas: readonly (readonly [end: string, formula: Formula])[] = [
  ['.lora_A', (k) => 0.05 * Math.sin(0.7 * k + 0.1)],
  ['.lora_B', (k) => 0.01 * Math.sin(0.9 * k + 0.2)],
  ['prompt_query_latents', (k) => Math.sin(0.37 * k + 0.3)],
  ['inference_query_latents', (k) => Math.sin(0.53 * k + 0.4)],
  ['latent_ln.weight', (k) => 0.1 + 0.05 * Math.sin(0.11 * k)],
  ['latent_ln.bias', (k) => 0.02 * Math.sin(0.13 * k)],
  ['latent_scale', () => 0.9],
  ['reasoner_to_weaver.weight', (k, onDiagonal) => Number(onDiagonal) + 0.01 * Math.sin(0.17 * k)],
  ['weaver_to_reasoner.weight', (k, onDiagonal) => 0.02 * Number(onDiagonal) + 0.0005 * Math.sin(0.19 * k)],
  ['_to_weaver.bias', (k) => 0.001 * Math.sin(0.23 * k)],
  ['_to_reasoner.bias', (k) => 0.001 * Math.sin(0.23 * k)],
  ['output_layer.weight', (k) => 0.02 * Math.sin(1.3 * k + 0.5)],
  ['output_layer.bias', (k) => [0.31, -0.05][k]!],
];

/** Every trainable of weaver and trigger under its official name, computed in double precision and rounded. */
export class Smollm2Trainables implements OfficialTensors {
  private readonly shapes = trainableShapes();

  get names(): string[] {
    return [...this.shapes.keys()];
  }

  shape(name: string): readonly number[] {
    return this.shapes.get(name)!;
  }

  floats(name: string): Promise<Float32Array> {
    const shape = this.shape(name);
    const width = shape.at(-1)!;
    const plain = name.replace(/\.(weaver|trigger)\.weight$/, '');
    const [, formula] = formulas.find(([end]) => plain.endsWith(end))!;
    const length = shape.reduce((product, size) => product * size, 1);
    return Promise.resolve(Float32Array.from({ length }, (_, k) => formula(k, Math.floor(k / width) === k % width)));
  }
}

function trainableShapes(): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const kind of ['prompt', 'inference']) {
    shapes.set(`weaver.${kind}_query_latents`, [latents, hidden]);
    shapes.set(`weaver.${kind}_latent_scale`, [1]);
    for (const part of ['weight', 'bias']) shapes.set(`weaver.${kind}_latent_ln.${part}`, [hidden]);
  }
  for (const projection of ['reasoner_to_weaver', 'weaver_to_reasoner']) {
    shapes.set(`${projection}.weight`, [hidden, hidden]);
    shapes.set(`${projection}.bias`, [hidden]);
  }
  shapes.set('trigger.output_layer.weight', [2, hidden]);
  shapes.set('trigger.output_layer.bias', [2]);
  for (const owner of ['weaver', 'trigger']) {
    for (let layer = 0; layer < layers; layer++) {
      for (const [module, output] of [['q_proj', hidden], ['v_proj', keyValue]] as const) {
        const path = `${owner}.model.base_model.model.model.layers.${layer}.self_attn.${module}`;
        shapes.set(`${path}.lora_A.${owner}.weight`, [rank, hidden]);
        shapes.set(`${path}.lora_B.${owner}.weight`, [output, rank]);
      } // prettier-ignore
    }
  }
  return shapes;
}
