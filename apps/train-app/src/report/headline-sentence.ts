// The sentence at the top of a report: what came out, as measured.
import { formatPercent, formatPValue, type ArmSummary } from '@memgen/bench';
import type { TestResult } from '../evaluation/evaluation-phase.js';
import { armLabel } from './arm-labels.js';
import type { ReportedExperiment } from './reported-experiment.js';

/** Arms that a run may be about, the one that says most first. */
const trainedArms = ['weaver+trigger', 'weaver', 'adapter', 'reasoner'];

const means: Record<string, string> = {
  weaver: 'the trained weaver',
  'weaver+trigger': 'weaver and trigger',
  adapter: 'the adapter',
  reasoner: 'all weights trained',
};

export function headlineSentence({ results, validation, untouched }: ReportedExperiment): string {
  const parts = results.flatMap((result) => testSentence(result) ?? []);
  if (validation.size > 0) {
    const arms = [...validation.keys()];
    const losses = [...validation].map(([arm, loss]) => `${armLabel(arm, arms)} ${loss.toFixed(4)}`);
    parts.push(`Validation loss per supervised token: ${losses.join(', ')}.`);
  }
  if (untouched !== undefined) {
    parts.push(
      untouched.changed === 0
        ? `With latents off, all ${untouched.rows} answers on old skills are the same as before training, token by token.`
        : `With latents off, ${untouched.changed} of ${untouched.rows} answers on old skills changed: this is a fault.`,
    );
  }
  return parts.join(' ');
}

/** Old skills are told of where a trigger is to protect them. */
function testSentence({ test, headline, weaveRates }: TestResult): string | undefined {
  const of = (arm: string): ArmSummary['overall'] | undefined =>
    headline.find((summary) => summary.arm === arm)?.overall;
  const arm = trainedArms.find((name) => of(name) !== undefined) ?? 'vanilla';
  const trained = of(arm);
  if (trained === undefined || arm === 'vanilla' || (test.purpose === 'skills' && arm !== 'weaver+trigger'))
    return undefined;
  const told: [string, ArmSummary['overall'] | undefined, string][] = [
    ['weaver+trigger', of('weaver'), 'with the weaver at every point'],
    [arm, of('vanilla'), test.purpose === 'skills' || arm !== 'weaver' ? 'by the reasoner alone' : 'without latents'],
    ['weaver', of('random-weaver'), 'with an untrained weaver'],
  ];
  const others = told.flatMap(([subject, summary, words]) =>
    subject === arm && summary !== undefined ? [`${formatPercent(summary.accuracy)} ${words}`] : [],
  );
  const p = trained.paired === undefined ? '' : ` (paired p ${formatPValue(trained.paired.p)})`;
  const rate = weaveRates.get('weaver+trigger');
  const often = rate === undefined ? '' : ` The trigger weaves at ${formatPercent(rate)} of the points.`;
  return (
    `${test.title}: ${formatPercent(trained.accuracy)} of ${trained.n} answers right with ${means[arm] ?? arm}` +
    `${others.map((text) => `, ${text}`).join('')}${p}.${often}`
  );
}
