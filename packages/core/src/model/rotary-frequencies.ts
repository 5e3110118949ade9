// Rotation frequencies of the position embedding, with the scalings of config.json's rope_scaling.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';

/** Inverse frequencies, one per pair of channels, and the factor on cosines and sines (yarn). */
export interface RotarySettings {
  inverseFrequencies: readonly number[];
  attentionScaling: number;
  /** How many times as long a sequence may be as `max_position_embeddings` says. @default 1 */
  stretch?: number;
  /** Present where longer rows are rotated more slowly. */
  dynamic?: DynamicRotary;
}

/** Frequencies that follow the length of a row (dynamic NTK scaling). */
interface DynamicRotary {
  theta: number;
  factor: number;
  /** Up to this length nothing changes. */
  maxPositions: number;
}

interface RawRotary {
  rope_theta: number;
  rope_scaling?: Record<string, unknown> | null | undefined;
  /** Newer files have theta and scaling in here. */
  rope_parameters?: Record<string, unknown> | null | undefined;
  max_position_embeddings: number;
}

const factor = z.number().positive();
const scalings = {
  linear: z.object({ factor }),
  dynamic: z.object({ factor }),
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
 * @param settings - the fields rope_theta, rope_scaling, rope_parameters and max_position_embeddings of config.json.
 * @throws MemGenError `model-architecture` for a kind of scaling that is not supported, `model-config` for a wrong field.
 */
export function readRotarySettings(settings: RawRotary, headSize: number, where: string): RotarySettings {
  const { raw, scaling, field } = unite(settings, where);
  const base = frequencies(raw.rope_theta, headSize);
  const kind = scaling?.rope_type ?? scaling?.type ?? 'default';
  if (scaling == null || kind === 'default') return { inverseFrequencies: base, attentionScaling: 1 };
  const parse = <T>(schema: z.ZodType<T>): T => {
    const parsed = schema.safeParse(scaling);
    if (parsed.success) return parsed.data;
    throw new MemGenError({
      code: 'model-config',
      where: `${where}: ${field}`,
      message: z.prettifyError(parsed.error),
    });
  };
  switch (kind) {
    case 'linear': {
      const { factor } = parse(scalings.linear);
      return { inverseFrequencies: base.map((f) => f / factor), attentionScaling: 1, stretch: factor };
    }
    case 'dynamic': {
      const { factor } = parse(scalings.dynamic);
      const dynamic = { theta: raw.rope_theta, factor, maxPositions: raw.max_position_embeddings };
      return { inverseFrequencies: base, attentionScaling: 1, stretch: factor, dynamic };
    }
    case 'llama3':
      return { inverseFrequencies: llama3(base, parse(scalings.llama3)), attentionScaling: 1 };
    case 'yarn':
      return yarn(base, headSize, raw, parse(scalings.yarn));
    default:
      throw new MemGenError({
        code: 'model-architecture',
        where: `${where}: ${field}.rope_type`,
        message: 'this rotary scaling is not supported',
        got: JSON.stringify(kind),
        expected: `default, ${Object.keys(scalings).join(', ')}`,
      });
  }
}

/** Frequencies for a row of `length` positions. */
export function rowFrequencies({ inverseFrequencies, dynamic }: RotarySettings, length: number): readonly number[] {
  if (dynamic === undefined || length <= dynamic.maxPositions) return inverseFrequencies;
  const { theta, factor, maxPositions } = dynamic;
  const size = 2 * inverseFrequencies.length;
  return frequencies(theta * ((factor * length) / maxPositions - (factor - 1)) ** (size / (size - 2)), size);
}

function frequencies(theta: number, size: number): number[] {
  return Array.from({ length: size / 2 }, (_, i) => theta ** (-(2 * i) / size));
}

const rotaryParameters = z.object({
  rope_theta: factor.optional(),
  partial_rotary_factor: z.literal(1).nullish(),
});

/** The same settings, from whichever of the two places they are in. */
function unite(settings: RawRotary, where: string) {
  const { rope_parameters: parameters, rope_scaling: scaling } = settings;
  if (parameters == null) return { raw: settings, scaling, field: 'rope_scaling' };
  const perLayerType = Object.keys(parameters).find((key) => typeof parameters[key] === 'object' && parameters[key]);
  if (perLayerType !== undefined) {
    throw new MemGenError({
      code: 'model-architecture',
      where: `${where}: rope_parameters.${perLayerType}`,
      message: 'positions that differ between kinds of layers are not supported',
      expected: 'one set of parameters',
    });
  }
  const parsed = rotaryParameters.safeParse(parameters);
  if (!parsed.success) {
    throw new MemGenError({
      code: parsed.error.issues[0]?.path[0] === 'partial_rotary_factor' ? 'model-architecture' : 'model-config',
      where: `${where}: rope_parameters`,
      message: z.prettifyError(parsed.error),
    });
  }
  const raw = { ...settings, rope_theta: parsed.data.rope_theta ?? settings.rope_theta };
  // Some files have both; transformers then takes the older one.
  return scaling == null
    ? { raw, scaling: parameters, field: 'rope_parameters' }
    : { raw, scaling, field: 'rope_scaling' };
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
  return { inverseFrequencies, attentionScaling, ...(original == null && { stretch: factor }) };
}
