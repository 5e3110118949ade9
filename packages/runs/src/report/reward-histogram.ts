// How rewards are spread, early and late in a run.
import type { SampleRecord } from '../samples.js';
import type { ReportHistogram } from './report-data.js';

/** Rewards that are few and apart get a bar each; others are put into so many ranges. */
const maxBars = 12;

/**
 * The rewards of the first and of the last quarter of a run's samples, as shares.
 *
 * @returns nothing for a run without rewards.
 */
export function rewardHistogram(samples: readonly SampleRecord[]): ReportHistogram[] {
  const rewards = samples.flatMap(({ reward }) => (reward === null || !Number.isFinite(reward) ? [] : [reward]));
  if (rewards.length === 0) return [];
  const part = Math.max(1, Math.floor(rewards.length / 4));
  const parts =
    rewards.length < 8
      ? [{ label: 'all samples', rewards }]
      : [
          { label: 'first quarter of the run', rewards: rewards.slice(0, part) },
          { label: 'last quarter', rewards: rewards.slice(-part) },
        ];
  const bars = barsOf(rewards);
  const failed = samples.length - rewards.length;
  return [
    {
      title: 'Rewards',
      caption:
        `Share of completions by reward; ${rewards.length.toLocaleString('en-US')} completions in all.` +
        (failed === 0 ? '' : ` ${failed.toLocaleString('en-US')} more have none, because a reward function failed.`),
      valueLabel: 'reward',
      bars: bars.map(({ label }) => label),
      series: parts.map(({ label, rewards: values }) => ({
        label,
        shares: bars.map(({ holds }) => values.filter(holds).length / values.length),
      })),
    },
  ];
}

interface Bar {
  label: string;
  holds: (reward: number) => boolean;
}

function barsOf(rewards: readonly number[]): Bar[] {
  const values = [...new Set(rewards)].sort((a, b) => a - b);
  if (values.length <= maxBars) {
    return values.map((value) => ({ label: barLabel(value), holds: (reward) => reward === value }));
  }
  const low = values[0]!;
  const width = (values.at(-1)! - low) / maxBars;
  return Array.from({ length: maxBars }, (_, i) => {
    const isLast = i === maxBars - 1;
    const [from, to] = [low + i * width, low + (i + 1) * width];
    return {
      label: barLabel((from + to) / 2),
      holds: (reward) => (i === 0 || reward >= from) && (isLast || reward < to),
    };
  });
}

/** Three digits, no zeros behind them, and a true minus sign. */
function barLabel(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '\u2212');
}
