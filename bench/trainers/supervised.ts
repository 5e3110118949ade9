// Steps of supervised training: of a weaver, of an adapter, of a whole model.
import { startBackend, type Reasoner, type WovenRow } from '@memgen/core';
import { trainAdapter, trainDecoder, trainWeaver, type StepReport } from '@memgen/sft';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { Reporter } from '../frame/reporter.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { measuredSteps, supervisedWork, type SupervisedMethod } from './methods.js';
import { newAdapter, newDecoder, newWeaver } from './parts.js';
import { StepMeter } from './step-meter.js';

/** `only` names the one method; each has a process of its own for its peak of memory. */
export async function run({ backend, dtype, model, quick, only }: JobSettings, reporter: Reporter): Promise<void> {
  const [method] = only as [SupervisedMethod];
  await startBackend({ backend });
  const peak = watchPeakMemory();
  const reasoner = await loadVariant({ backend, dtype, model });
  const clock = () => performance.now();
  const meter = new StepMeter(clock);
  const options = {
    ...{ batchSize: supervisedWork.rows, steps: 1 + measuredSteps(quick), clock },
    onStep: (report: StepReport) => {
      meter.take(report);
    },
  };
  const rows = wovenRows(reasoner);
  if (method === 'weaver-sft') await trainWeaver(reasoner.decoder, newWeaver(reasoner), rows, options);
  else if (method === 'adapter-sft') await trainAdapter(reasoner.decoder, newAdapter(reasoner), rows, options);
  else await trainDecoder(newDecoder(reasoner), rows, options);
  const facts = { backend, dtype };
  for (const figure of meter.figures(method, facts)) reporter.figure(figure);
  const samples = [peak() / 2 ** 20];
  reporter.figure({ ...facts, measure: `${method}-memory`, unit: 'MiB', samples, note: 'loading included' });
}

/** With the prompt's point and three in the completion; only a weaver minds them. */
function wovenRows(reasoner: Reasoner): WovenRow[] {
  const { rows, tokens } = supervisedWork;
  const promptTokens = tokens / 2;
  return prompts(reasoner, rows, tokens).map((ids) => ({
    ids,
    labels: ids.map((id, i) => (i < promptTokens ? -100 : id)),
    points: [0, 16, 32, 48].map((after) => ({
      index: promptTokens + after,
      kind: after === 0 ? ('prompt' as const) : ('inference' as const),
    })),
  }));
}
