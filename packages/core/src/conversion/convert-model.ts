// Turns a model of any readable form into a Hugging Face folder with one safetensors file.
import { join } from 'node:path';
import { MemGenError, replaceFolder, writeFileAtomically } from '@memgen/common';
import { mergedWeights, readPeftAdapter, type TensorInfo } from '../formats/index.js';
import { absolutePath } from '../hub/find-local-model.js';
import { resolveModel, type ResolveModelOptions } from '../hub/index.js';
import { formatJson, openModelSource, type ModelSource } from './model-source.js';
import { refuseExisting } from './refuse-existing.js';
import { floatPieces, type WeightDtype } from '../formats/safetensors/narrow-floats.js';
import { streamSafetensors, type StreamedTensor } from '../formats/safetensors/stream-safetensors.js';

/** Options of {@link convertModel}; `signal` stops between two tensors. */
export interface ConvertModelOptions extends ResolveModelOptions {
  /** How the weights are stored. F32 keeps every value of every source (F64 is rounded). @default 'F32' */
  dtype?: WeightDtype | undefined;
  /** An adapter folder of the PEFT library, to be merged into the weights. @default none */
  adapter?: string | undefined;
  /** Called while the weights are written. */
  onWritten?: ((writtenBytes: number, totalBytes: number) => void) | undefined;
}

export interface ConvertedModel {
  /** Absolute path of the new folder. */
  folder: string;
  tensors: number;
  /** Bytes of the weights. */
  byteLength: number;
}

const torchNames = { F32: 'float32', BF16: 'bfloat16', F16: 'float16' } as const satisfies Record<WeightDtype, string>;

/** Types that are indices or flags, not weights: they stay what they are. */
const wholeNumbers = new Set(['BOOL', 'U8', 'I8', 'I16', 'U16', 'I32', 'U32', 'I64', 'U64']);

/**
 * Writes config.json, the tokenizer's files and model.safetensors. The weights go through memory one tensor at a time.
 * The folder is written aside and appears complete or not at all.
 *
 * @param source - what {@link resolveModel} finds: a GGUF file, or a folder with safetensors or `pytorch_model.bin`.
 * @param target - a folder that does not exist or is empty.
 * @throws MemGenError of {@link mergedWeights} and `readPeftAdapter` for an adapter; `file-exists`, `interrupted`, `tensor-overflow`, `convert-quantized`, those of finding and reading
 * the model, and of writing (`disk-full`, ...).
 */
export async function convertModel(
  source: string,
  target: string,
  { dtype = 'F32', adapter, onWritten, ...options }: ConvertModelOptions = {},
): Promise<ConvertedModel> {
  const folder = absolutePath(target);
  await refuseExisting(folder);
  const opened = await openModelSource(await resolveModel(source, options));
  try {
    const { weights } = opened;
    const changed =
      adapter === undefined ? undefined : mergedWeights(weights, await readPeftAdapter(adapter), absolutePath(adapter));
    const tensors = [...weights.tensors.values()].map((info) =>
      streamed(info, { weights, changed, dtype, folder, signal: options.signal }),
    );
    let byteLength = 0;
    await replaceFolder(folder, async (temporary) => {
      // The small files first: what is wrong with them shows at once.
      await writeFileAtomically(join(temporary, 'config.json'), formatJson(withDtype(opened.config, dtype)));
      for (const [name, content] of opened.files) await writeFileAtomically(join(temporary, name), content());
      byteLength = await streamSafetensors(join(temporary, 'model.safetensors'), tensors, { onWritten });
    });
    return { folder, tensors: tensors.length, byteLength };
  } finally {
    await opened.weights.close();
  }
}

interface Conversion extends Pick<ModelSource, 'weights'> {
  /** Readers of the weights that are not as they are stored. */
  changed: ReadonlyMap<string, () => Promise<Float32Array>> | undefined;
  dtype: WeightDtype;
  folder: string;
  signal: AbortSignal | undefined;
}

function streamed({ name, dtype: stored, shape }: TensorInfo, conversion: Conversion): StreamedTensor {
  const { weights, dtype, folder, signal } = conversion;
  const change = conversion.changed?.get(name);
  const asStored =
    change === undefined && weights.readRaw !== undefined && (stored === dtype || wholeNumbers.has(stored));
  async function* pieces(): AsyncGenerator<Uint8Array> {
    if (signal?.aborted === true) throw interrupted(folder);
    if (asStored) yield await weights.readRaw!(name);
    else yield* floatPieces(await (change?.() ?? weights.readFloat32(name)), dtype, `${folder}, tensor "${name}"`);
  }
  return { name, shape, dtype: asStored ? stored : dtype, pieces };
}

/** Older versions of transformers read `torch_dtype`, newer ones `dtype`; the file keeps the one it has. */
function withDtype(config: Readonly<Record<string, unknown>>, dtype: WeightDtype): Record<string, unknown> {
  return { ...config, ['dtype' in config ? 'dtype' : 'torch_dtype']: torchNames[dtype] };
}

function interrupted(folder: string): MemGenError {
  return new MemGenError({
    code: 'interrupted',
    where: folder,
    message: 'the conversion was interrupted; nothing was written',
    hint: 'run it again',
  });
}
