// How much memory the training of a weaver needs, from the sizes of the model and of a batch.
import type { DecoderConfig } from '../model/decoder-config.js';
import { isReadSlowlyTransposed } from '../ops/linear.js';
import { adaptableModules, moduleShape, type AdaptableModule } from '../model/lora.js';

/** One pass of weaver training, with the defaults of the reference implementation. */
export interface TrainingSizes {
  /** Rows of one pass. @default 4 */
  rows?: number;
  /** Tokens before the first latent, of the longest row. */
  promptTokens: number;
  /** Tokens after it, all of them supervised. */
  completionTokens: number;
  /** Places in the completion where latents are woven in. @default 5 */
  inferencePoints?: number;
  /** @default 8 */
  promptLatents?: number;
  /** @default 8 */
  inferenceLatents?: number;
  /** The weaver's adapter. @default rank 16 on q_proj and v_proj */
  lora?: { r: number; targetModules: readonly string[] };
  /** Recompute each layer in the backward pass instead of keeping its activations. @default true */
  gradientCheckpointing?: boolean;
}

/** Bytes on the backend, on top of the model's own; on wasm, whose kernels keep less, a third to a half of them. */
export interface TrainingMemory {
  /** Trained parameters, their gradients and the two moments of AdamW. */
  parameters: number;
  /** What the forward passes leave for the backward pass. */
  activations: number;
  /** Frozen matrices turned over, which gradients on TensorFlow take: small ones, and those of certain widths. */
  copies: number;
  /** Intermediate results, for the moment of the pass that needs most; an upper bound. */
  scratch: number;
  /** All of these. */
  total: number;
}

const float = 4;

/** Labelled tokens whose logits are made at once; the default of the loss. */
const lossChunk = 256;

/** Modules that read the same input, side by side in one matrix. */
const attentionInputs: readonly AdaptableModule[] = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];
const feedForwardInputs: readonly AdaptableModule[] = ['mlp.gate_proj', 'mlp.up_proj'];

/** One forward pass of the decoder: new columns, all columns attended to, and whether a gradient flows back through it. */
interface Pass {
  /** Columns whose hidden states are made. */
  columns: number;
  /** Those of them whose keys and values are kept. */
  kept: number;
  /** Earlier ones and new ones. */
  attended: number;
  differentiable: boolean;
  adapted: boolean;
}

/**
 * The weaver is taken to be a view over the reasoner (its base model is shared). With `B` rows, hidden size `h`,
 * feed-forward size `i`, queries `q`, keys `k`, layers `L`, ranks and sizes of the adapted modules `r (in + out)`:
 *
 * - parameters: `16 * (L * sum of r (in + out) + 2 (h^2 + h) + (K + K') h + 2 * (2 h + 1))`.
 * - copies: `4 * L` times the elements of the matrices that have one, see `isReadSlowlyTransposed`.
 * - activations, recomputed: of each pass over `n` columns `4 B * L * (n h + 2 kept k)`, the outputs of its layers, with
 *   its inputs, the final norm (`4 B * 3 n h`) and the mask (`4 B * n * attended`).
 * - activations, kept: in addition, for passes that are differentiated, per layer `4 B * (n (h + q + 2 i + 2) + 2 k
 *   attended)`; what attention made, `n (q + heads * attended)`, where its weights are no more than `i`; of each adapted
 *   module `n (in + r)`, the mask of its dropout, and the inputs of adapted projections; and `n (q + k + heads + keyValueHeads)` for
 *   normed queries and keys. Once for all rows, the adapters' second matrices as wide as the projections.
 * - scratch: the intermediate results of one layer, forwards and backwards, which live until the layer is done. Counted
 *   for the operations of the decoder layer one by one: `4 B * (n (24 h + 20 i + 34 q + 30 k) + 10 heads * n * attended +
 *   12 k * attended)`, `4 B * n * 12 (q + k)` more for normed queries and keys, `4 B * n (2 in + 3 out)` for each adapted
 *   module, and three times the width of what it is split from. Or those of a chunk of the loss, if they are more: nine
 *   times its logits. Engines that fuse operations need less.
 *
 * The passes are the weaver's calls, one for the prompt and one for each inference point (it reads all columns once and
 * adds `K` queries to each call), the reasoner's over the prompt, and the reasoner's over latents and completion.
 */
export function estimateTrainingMemory(config: DecoderConfig, sizes: TrainingSizes): TrainingMemory {
  const { rows = 4, completionTokens, gradientCheckpointing = true } = sizes;
  const passes = passesOf(sizes);
  const parameters = 4 * float * trainedParameters(config, sizes);
  const activations = passes.reduce(
    (sum, pass) =>
      sum +
      outputsOf(config, pass) +
      (gradientCheckpointing || !pass.differentiable
        ? 0
        : config.layers * savedByLayer(config, pass, { ...sizes, rows })),
    0,
  );
  const layerScratch = Math.max(
    ...passes.filter((pass) => pass.differentiable).map((pass) => scratch(config, pass, sizes)),
  );
  const chunk = Math.min(lossChunk, rows * completionTokens);
  const lossScratch = chunk * (9 * config.vocabularySize + 3 * config.hiddenSize);
  const memory = {
    parameters,
    copies: float * config.layers * turnedOver(config),
    activations: float * rows * activations,
    scratch: float * Math.max(rows * layerScratch, lossScratch),
  };
  return { ...memory, total: memory.parameters + memory.copies + memory.activations + memory.scratch };
}

function passesOf({
  promptTokens,
  completionTokens,
  inferencePoints = 5,
  promptLatents = 8,
  inferenceLatents = 8,
}: TrainingSizes): Pass[] {
  const passes: Pass[] = [];
  const span = inferencePoints === 0 ? 0 : completionTokens / (inferencePoints + 1);
  let read = 0;
  for (let call = 0; call <= inferencePoints; call++) {
    // What stands between two points: the latents of the one before, and the tokens since.
    const kept = call === 0 ? promptTokens : (call === 1 ? promptLatents : inferenceLatents) + span;
    const queries = call === 0 ? promptLatents : inferenceLatents;
    read += kept;
    passes.push({ columns: kept + queries, kept, attended: read + queries, differentiable: true, adapted: true });
  }
  const completion = promptLatents + inferencePoints * inferenceLatents + completionTokens;
  const reasonerPass = (columns: number, attended: number, differentiable: boolean): Pass => ({
    columns,
    kept: columns,
    attended,
    differentiable,
    adapted: false,
  });
  passes.push(
    reasonerPass(promptTokens, promptTokens, false),
    reasonerPass(completion, promptTokens + completion, true),
  );
  return passes;
}

function trainedParameters(config: DecoderConfig, sizes: TrainingSizes): number {
  const { promptLatents = 8, inferenceLatents = 8 } = sizes;
  const { hiddenSize } = config;
  const { r, modules } = adapterOf(sizes);
  const adapter = modules.reduce((sum, module) => {
    const { input, output } = moduleShape(config, module);
    return sum + r * (input + output);
  }, 0);
  const projections = 2 * (hiddenSize ** 2 + hiddenSize);
  const queries = (promptLatents + inferenceLatents) * hiddenSize + 2 * (2 * hiddenSize + 1);
  return config.layers * adapter + projections + queries;
}

/** Elements of a layer's matrices of which a copy is made. */
function turnedOver({ hiddenSize, intermediateSize, heads, keyValueHeads, headSize }: DecoderConfig): number {
  const matrices = [
    [hiddenSize, (heads + 2 * keyValueHeads) * headSize],
    [heads * headSize, hiddenSize],
    [hiddenSize, 2 * intermediateSize],
    [intermediateSize, hiddenSize],
  ] as const;
  return matrices.reduce(
    (sum, [rows, columns]) => sum + (isReadSlowlyTransposed(rows, columns) ? rows * columns : 0),
    0,
  );
}

function adapterOf({ lora = { r: 16, targetModules: ['q_proj', 'v_proj'] } }: TrainingSizes): {
  r: number;
  modules: AdaptableModule[];
} {
  const modules = adaptableModules.filter((name) =>
    lora.targetModules.some((target) => name === target || name.endsWith(`.${target}`)),
  );
  return { r: lora.r, modules };
}

function usesAny(modules: readonly AdaptableModule[], group: readonly AdaptableModule[]): boolean {
  return modules.some((module) => group.includes(module));
}

/** Floats per row that a pass leaves whatever is recomputed: inputs, mask, outputs of the layers, final norm. */
function outputsOf(config: DecoderConfig, { columns, kept, attended }: Pass): number {
  const { hiddenSize, keyValueHeads, headSize, layers } = config;
  const layerOutputs = columns * hiddenSize + 2 * kept * keyValueHeads * headSize;
  return layers * layerOutputs + 3 * columns * hiddenSize + columns * (attended + 2 * headSize);
}

/** Floats per row that one layer keeps for its gradient. */
function savedByLayer(
  config: DecoderConfig,
  { columns, attended, adapted }: Pass,
  sizes: TrainingSizes & { rows: number },
): number {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize, queryKeyNorm } = config;
  const queries = heads * headSize;
  const keys = keyValueHeads * headSize;
  const { r, modules } = adapterOf(sizes);
  const adapters = adapted ? modules : [];
  const perColumn =
    hiddenSize +
    queries +
    2 * intermediateSize +
    2 +
    (heads * attended <= intermediateSize ? queries + heads * attended : 0) +
    (queryKeyNorm ? queries + keys + heads + keyValueHeads : 0) +
    adapters.reduce((sum, module) => sum + moduleShape(config, module).input + r, 0) +
    (usesAny(adapters, attentionInputs) ? hiddenSize : 0) +
    (adapters.includes('self_attn.o_proj') ? queries : 0) +
    (usesAny(adapters, feedForwardInputs) ? hiddenSize : 0) +
    (adapters.includes('mlp.down_proj') ? intermediateSize : 0);
  const widths = adapters.reduce((sum, module) => sum + projectionWidth(config, module), 0);
  return columns * perColumn + 2 * keys * attended + (r * widths) / sizes.rows;
}

/** Columns of the matrix in which a module lies beside others. */
function projectionWidth(config: DecoderConfig, module: AdaptableModule): number {
  const group = [attentionInputs, feedForwardInputs].find((modules) => modules.includes(module)) ?? [module];
  return group.reduce((sum, name) => sum + moduleShape(config, name).output, 0);
}

/** Floats per row that live while one layer is differentiated. */
function scratch(config: DecoderConfig, { columns, attended, adapted }: Pass, sizes: TrainingSizes): number {
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headSize, queryKeyNorm } = config;
  const queries = heads * headSize;
  const keys = keyValueHeads * headSize;
  const modules = adapted ? adapterOf(sizes).modules : [];
  const adapters = modules.reduce((sum, module) => {
    const { input, output } = moduleShape(config, module);
    return sum + 2 * input + 3 * output;
  }, 0);
  const splits =
    (usesAny(modules, attentionInputs) ? 3 * (queries + 2 * keys) : 0) +
    (usesAny(modules, feedForwardInputs) ? 6 * intermediateSize : 0);
  const layer = 24 * hiddenSize + 20 * intermediateSize + 34 * queries + 30 * keys;
  const norms = queryKeyNorm ? 12 * (queries + keys) : 0;
  return columns * (layer + norms + adapters + splits + 10 * heads * attended) + 12 * keys * attended;
}
