// A training step of a LoRA adapter: loss, gradients and the optimizer, one row.
import { Random } from '@memgen/common';
import { AdamW, LoraAdapter, startBackend } from '@memgen/core';
import { adapterModel } from '@memgen/sft';
import * as tf from '@tensorflow/tfjs';
import type { Reporter } from '../frame/reporter.js';
import { repeated, seconds } from '../frame/measure.js';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { casesOf } from './cases.js';
import { adapterStepOperations } from './least-work.js';

/** `size` is the number of tokens; each has a process of its own, for the peak of memory. */
export async function run(settings: JobSettings, reporter: Reporter): Promise<void> {
  const { backend, dtype, model, quick, size: tokens = 256 } = settings;
  await startBackend({ backend });
  const reasoner = await loadVariant({ backend, dtype, model });
  const { config } = reasoner.decoder;
  const lora = { r: 16, alpha: 32, targetModules: ['q_proj', 'v_proj'] };
  const adapter = LoraAdapter.initialize(config, lora, Random.fromSeed(1));
  const parameters = adapter.parameters();
  const optimizer = new AdamW(parameters);
  const [ids] = prompts(reasoner, 1, tokens) as [number[]];
  const trained = adapterModel(reasoner.decoder, adapter);
  const step = async (): Promise<void> => {
    // Activations are kept, as the reference does.
    const { gradients } = await trained.gradients([{ ids, labels: ids }], { gradientCheckpointing: false });
    optimizer.step(gradients, 1e-4);
    tf.dispose([...gradients.values()]);
  };
  const peak = watchPeakMemory();
  const samples = await repeated(casesOf(quick).repetitions, () => seconds(step));
  const facts = { backend, dtype, sizes: { tokens } };
  const least = { operations: adapterStepOperations(config, tokens) };
  reporter.figure({ ...facts, measure: 'training', unit: 's', samples, least });
  reporter.figure({ ...facts, measure: 'training-memory', unit: 'MB', samples: [peak() / 1e6] });
}
