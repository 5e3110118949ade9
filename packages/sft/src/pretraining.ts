// Pre-training of a small decoder from nothing: every weight is trained, hidden matrices by Muon, the rest by AdamW.
import {
  AdamW,
  combineOptimizers,
  decoderParameters,
  languageModelLoss,
  Muon,
  type AdamWOptions,
  type Decoder,
  type DecoderConfig,
  type Gradients,
  type MuonOptions,
  type Optimizer,
  type PlainSequence,
  type ScheduleOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import {
  runTrainingLoop,
  type StepGradients,
  type TrainingLoopOptions,
  type TrainingOutcome,
} from './training-loop.js';
import { restoreValues, type TrainingState } from './training-state.js';

export interface PretrainingOptions extends Pick<TrainingLoopOptions, 'steps' | 'onStep' | 'signal' | 'clipNorm'> {
  /** The sequences of a step, counted from 0; must depend on the step alone. */
  batch: (step: number) => readonly PlainSequence[];
  /** Shape of the schedule; its peak is 1 and scales both rates. */
  schedule: Omit<ScheduleOptions, 'steps' | 'peak'>;
  muon: Omit<MuonOptions, 'sections'> & { learningRate: number };
  adamW: AdamWOptions & { learningRate: number };
  checkpoint?: {
    due: (step: number) => boolean;
    save: (step: number, optimizer: Optimizer, parameters: ReadonlyMap<string, tf.Variable>) => Promise<void>;
  };
  resume?: TrainingState;
}

/** Trains all weights of a decoder made by `initializeDecoderWeights`, in place. */
export async function pretrain(decoder: Decoder, options: PretrainingOptions): Promise<TrainingOutcome> {
  const { batch, schedule, muon, adamW, checkpoint, resume, ...loop } = options;
  const parameters = decoderParameters(decoder.weights);
  const isHiddenMatrix = (name: string) => name.startsWith('layers.') && name.endsWith('.weight');
  const choose = (wanted: boolean) => new Map([...parameters].filter(([name]) => isHiddenMatrix(name) === wanted));
  const sections = sectionsOf(decoder.config);
  const optimizer = combineOptimizers([
    { optimizer: new Muon(choose(true), { ...muon, sections }), rate: muon.learningRate },
    { optimizer: new AdamW(choose(false), adamW), rate: adamW.learningRate },
  ]);
  const variables = [...parameters.values()];

  const gradients = (step: number): StepGradients => {
    const sequences = batch(step);
    let tokens = 0;
    const { value, grads } = tf.variableGrads(() => {
      const { loss, tokens: counted } = languageModelLoss(decoder, sequences);
      tokens = counted;
      return tf.div(loss, counted).asScalar();
    }, variables);
    const loss = value.dataSync()[0]!;
    value.dispose();
    const found: Gradients = new Map();
    for (const variable of variables) {
      const gradient = grads[variable.name];
      if (gradient != null) found.set(variable, gradient);
    }
    return { loss, tokens, readTokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0), gradients: found };
  };

  try {
    if (resume !== undefined) {
      restoreValues(resume.values, parameters);
      optimizer.importState(resume.optimizerState);
    }
    return await runTrainingLoop({
      ...loop,
      firstStep: resume?.step ?? 0,
      schedule: { ...schedule, peak: 1 },
      optimizer,
      gradients,
      ...(checkpoint !== undefined && {
        checkpoint: { due: checkpoint.due, save: (step: number) => checkpoint.save(step, optimizer, parameters) },
      }),
    });
  } finally {
    optimizer.dispose();
  }
}

/** Matrices that the decoder keeps side by side, which Muon treats one by one. */
function sectionsOf({ heads, keyValueHeads, headSize, intermediateSize }: DecoderConfig) {
  const keyWidth = keyValueHeads * headSize;
  return (name: string): number[] | undefined => {
    if (name.endsWith('.queryKeyValue.weight')) return [heads * headSize, keyWidth, keyWidth];
    return name.endsWith('.gateUp.weight') ? [intermediateSize, intermediateSize] : undefined;
  };
}
