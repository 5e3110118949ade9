// From results to a report: the headline sentence, tables, curves, samples, examples.
import { formatPercent } from '@memgen/bench';
import { machineFacts, metricCurves, policySamples, rewardHistogram, timeFacts, type ReportData } from '@memgen/runs';
import { armLabel } from './arm-labels.js';
import { headlineSentence } from './headline-sentence.js';
import type { ReportedExperiment } from './reported-experiment.js';
import { accuracyTable, overviewTable, validationTable } from './result-tables.js';
import { testExamples } from './test-examples.js';
import { weaveRateTable } from './weave-rates.js';

/** Everything that report.html shows. */
export function experimentReport(experiment: ReportedExperiment): ReportData {
  const { task, results, manifest, facts, commands, writtenAt, metrics, samples = [], validation } = experiment;
  const curves = metricCurves([{ label: manifest.name, metrics }]);
  const main = results.find(({ test }) => test.purpose === 'memory')?.headline ?? [];
  const arms = main.map(({ arm }) => arm);
  return {
    title: `memgen: ${manifest.name}`,
    summary: headlineSentence(experiment),
    story: task.story,
    writtenAt,
    highlights: main.map(({ arm, overall }) => ({
      value: formatPercent(overall.accuracy),
      label: armLabel(arm, arms),
      note: `95 % interval ${(100 * overall.interval.low).toFixed(1)} to ${(100 * overall.interval.high).toFixed(1)}`,
    })),
    results: [
      ...overviewTable(results),
      ...weaveRateTable(results),
      ...results.map(accuracyTable),
      ...validationTable(validation, experiment.validationRows),
    ],
    curves: curves.main,
    moreCurves: curves.more,
    histograms: rewardHistogram(samples),
    samples: policySamples(samples),
    facts: [...facts, ...timeFacts(metrics), machineFacts(manifest)],
    examples: results.flatMap((result) => testExamples(result, result.test.purpose === 'memory' ? 6 : 2)),
    manifest,
    repeat: {
      commands: [...commands],
      note: 'The same seed on the same machine and backend gives the same numbers; other machines differ slightly in rounding.',
    },
  };
}
