// How a GGUF file says that the rotary embedding is stretched, as the `rope_scaling` of config.json.
import type { MetadataReader } from './metadata-reader.js';

// The settings of all Llama 3 models; a GGUF file keeps only what they amount to.
const llama3 = { lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192 };

/**
 * @param divisors - the file's table of frequency divisors, which is how Llama 3's scaling is stored.
 * @throws MemGenError `gguf-metadata` for a table or a type of scaling that cannot be expressed.
 */
export function toRotaryScaling(read: MetadataReader, divisors: Float32Array | undefined): object | null {
  if (divisors !== undefined) return llama3Scaling(read, divisors);
  const type = read.value('rope.scaling.type') ?? 'none';
  const factor = read.real('rope.scaling.factor') ?? read.real('rope.scale_linear') ?? 1;
  if (factor === 1 || type === 'none') return null;
  if (type === 'linear') return { rope_type: 'linear', factor };
  if (type === 'yarn') {
    const original = read.optionalCount('rope.scaling.original_context_length');
    return {
      rope_type: 'yarn',
      factor,
      ...(original === undefined ? {} : { original_max_position_embeddings: original }),
    };
  }
  throw read.error('this kind of rotary scaling is not known', String(type), 'none, linear, yarn');
}

/** The largest divisor is the factor; the rest of the table must then be what Llama 3's rule gives. */
function llama3Scaling(read: MetadataReader, divisors: Float32Array): object {
  const { lowFrequencyFactor, highFrequencyFactor, originalContext } = llama3;
  const factor = divisors.reduce((largest, divisor) => Math.max(largest, divisor), 0);
  const theta = read.real('rope.freq_base') ?? 10000;
  divisors.forEach((divisor, i) => {
    const wavelength = 2 * Math.PI * theta ** (i / divisors.length);
    const turns = originalContext / wavelength;
    const smooth = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    const blend = Math.min(Math.max(smooth, 0), 1);
    const expected = 1 / ((1 - blend) / factor + blend);
    if (Math.abs(divisor - expected) > 1e-3 * expected) {
      throw read.error('its table of rotary frequencies is not that of Llama 3', `divisor ${divisor} at ${i}`);
    }
  });
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: lowFrequencyFactor,
    high_freq_factor: highFrequencyFactor,
    original_max_position_embeddings: originalContext,
  };
}
