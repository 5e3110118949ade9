// Rotation frequencies of the position embedding, with the scalings of config.json's rope_scaling.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';

/** Inverse frequencies, one per pair of channels, and the factor on cosines and sines (yarn). */
export interface RotarySettings {
  inverseFrequencies: readonly number[];
  attentionScaling: number;
}

interface RawRotary {
  rope_theta: number;
  rope_scaling?: Record<string, unknown> | null;
  max_position_embeddings: number;
}

const factor = z.number().positive();
const scalings = {
  linear: z.object({ factor }),
  llama3: z.object({
    factor,
    low_freq_factor: factor,
    high_freq_factor: factor,
    original_max_position_embeddings: factor,
  }),
  yarn: z.object({
    factor,
    original_max_position_embeddings: factor.nullish(),
    attention_factor: factor.nullish(),
    beta_fast: factor.nullish(),
    beta_slow: factor.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().nullish(),
  }),
};

/**
 * @param raw - the fields rope_theta, rope_scaling and max_position_embeddings of config.json.
 * @throws MemGenError `model-architecture` for a kind of scaling that is not supported.
 */
export function readRotarySettings(raw: RawRotary, headSize: number, where: string): RotarySettings {
  const base = Array.from({ length: headSize / 2 }, (_, i) => raw.rope_theta ** (-(2 * i) / headSize));
  const scaling = raw.rope_scaling;
  const kind = scaling?.rope_type ?? scaling?.type ?? 'default';
  if (scaling == null || kind === 'default') return { inverseFrequencies: base, attentionScaling: 1 };
  const parse = <T>(schema: z.ZodType<T>): T => {
    const parsed = schema.safeParse(scaling);
    if (parsed.success) return parsed.data;
    throw new MemGenError({
      code: 'model-config',
      where: `${where}: rope_scaling`,
      message: z.prettifyError(parsed.error),
    });
  };
  switch (kind) {
    case 'linear': {
      const { factor } = parse(scalings.linear);
      return { inverseFrequencies: base.map((f) => f / factor), attentionScaling: 1 };
    }
    case 'llama3':
      return { inverseFrequencies: llama3(base, parse(scalings.llama3)), attentionScaling: 1 };
    case 'yarn':
      return yarn(base, headSize, raw, parse(scalings.yarn));
    default:
      throw new MemGenError({
        code: 'model-architecture',
        where: `${where}: rope_scaling.rope_type`,
        message: 'this rotary scaling is not supported',
        got: JSON.stringify(kind),
        expected: `default, ${Object.keys(scalings).join(', ')}`,
      });
  }
}

/** Llama 3.1: long wavelengths are stretched, short ones kept, those between are blended. */
function llama3(base: readonly number[], settings: z.infer<typeof scalings.llama3>): number[] {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: context } = settings;
  return base.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < context / high) return frequency;
    if (wavelength > context / low) return frequency / factor;
    const smooth = (context / wavelength - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** YaRN (Peng et al. 2023): a ramp over the channels between interpolation and extrapolation. */
function yarn(
  base: readonly number[],
  headSize: number,
  raw: RawRotary,
  settings: z.infer<typeof scalings.yarn>,
): RotarySettings {
  // As Hugging Face computes it: with the original context given, the factor follows from it and the stated one is unused.
  const original = settings.original_max_position_embeddings;
  const context = original ?? raw.max_position_embeddings;
  const factor = original == null ? settings.factor : raw.max_position_embeddings / original;
  const magnitude = (scale: number, m: number) => (scale <= 1 ? 1 : 0.1 * m * Math.log(scale) + 1);
  const attentionScaling =
    settings.attention_factor ??
    (settings.mscale != null && settings.mscale_all_dim != null
      ? magnitude(factor, settings.mscale) / magnitude(factor, settings.mscale_all_dim)
      : magnitude(factor, 1));
  const channelOfRotations = (rotations: number) =>
    (headSize * Math.log(context / (rotations * 2 * Math.PI))) / (2 * Math.log(raw.rope_theta));
  const truncate = settings.truncate ?? true;
  const lowExact = channelOfRotations(settings.beta_fast ?? 32);
  const highExact = channelOfRotations(settings.beta_slow ?? 1);
  const low = Math.max(truncate ? Math.floor(lowExact) : lowExact, 0);
  let high = Math.min(truncate ? Math.ceil(highExact) : highExact, headSize - 1);
  if (low === high) high += 0.001;
  const inverseFrequencies = base.map((frequency, i) => {
    const interpolate = Math.min(Math.max((i - low) / (high - low), 0), 1);
    return (frequency / factor) * interpolate + frequency * (1 - interpolate);
  });
  return { inverseFrequencies, attentionScaling };
}
