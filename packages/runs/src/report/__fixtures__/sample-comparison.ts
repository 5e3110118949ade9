// Three invented runs, for tests and for looking at the page.
import type { MetricsRecord } from '../../metrics-log.js';
import type { RunComparison } from '../render-comparison.js';
import type { ResultsTable } from '../report-data.js';

interface Invented {
  label: string;
  learningRate: number;
  /** Step at which the loss falls. */
  turn: number;
  reward?: number;
  latents?: number;
}

function run({ label, learningRate, turn, reward, latents }: Invented): RunComparison['runs'][number] {
  const training = { learning_rate: learningRate, batch_size: 8 };
  const invent = (i: number): MetricsRecord => {
    const values: Record<string, number> = {
      'train/loss': 0.25 + 1.6 / (1 + Math.exp((i - turn) / 18)) + 0.1 * Math.sin(i * 12.9898) * Math.cos(i * 78.233),
      'train/learning_rate': learningRate * Math.min(1, i / 30) * (1 - i / 300),
      ...(reward !== undefined && {
        reward: reward / (1 + Math.exp((turn - i) / 25)) + 0.06 * Math.sin(i * 7.13),
        weave_rate: 0.4 + 0.5 * Math.exp(-i / (0.5 * turn)) + 0.03 * Math.sin(i * 3.7),
      }),
    };
    return { step: i + 1, time: new Date(1_700_000_000_000 + 1000 * i).toISOString(), ...values } as MetricsRecord;
  };
  return {
    label,
    metrics: Array.from({ length: 300 }, (_, i) => invent(i)),
    manifest: {
      schema_version: 1,
      name: label,
      status: 'finished',
      seed: 1,
      config: { seed: 1, training, ...(latents !== undefined && { weaver: { latents } }) },
      models: [],
      data: [],
      sessions: [
        {
          command: ['npm', 'start'],
          started_at: '2026-11-21T11:00:00.000Z',
          ended_at: '2026-11-21T11:05:30.000Z',
          from_step: 0,
          backend: { name: 'wasm' },
          machine: { node: 'v24.1.0', platform: 'linux x64', cpu: 'a processor', cpu_cores: 2, memory_bytes: 8e9 },
          packages: {},
          git: { commit: '0123456789abcdef0123', dirty: false },
        },
      ],
    },
  };
}

const results: ResultsTable = {
  title: 'Right answers',
  caption: 'Share of right answers on the rows of each test, with 95 % intervals (Wilson) in brackets.',
  unit: 'percent',
  better: 'higher',
  arms: ['steep', 'gentle', 'frozen'].map((label, i) => ({ id: String(i), label })),
  groups: [
    {
      label: 'shop: weaver',
      rows: 300,
      values: {
        '0': { value: 0.83, low: 0.783, high: 0.868 },
        '1': { value: 0.61, low: 0.554, high: 0.664 },
        '2': { value: 0.02, low: 0.009, high: 0.043 },
      },
    },
    {
      label: 'skills: weaver',
      rows: 200,
      values: { '0': { value: 0.08, low: 0.05, high: 0.126 }, '1': { value: 0.2, low: 0.15, high: 0.261 } },
    },
  ],
};

export const sampleComparison: RunComparison = {
  runs: [
    run({ label: 'steep', learningRate: 0.0012, turn: 90, reward: 0.8 }),
    run({ label: 'gentle', learningRate: 0.0003, turn: 190, reward: 0.5 }),
    run({ label: 'frozen', learningRate: 0.0003, turn: 400, latents: 4 }),
  ],
  results: [results],
  writtenAt: '2026-11-21T12:00:00.000Z',
};
