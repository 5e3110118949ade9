// A report with invented figures, for tests and for looking at the page.
import type { Estimate, ReportData, ResultGroup } from '../report-data.js';

/** Wilson's interval, so that the picture is a likely one. */
function share(correct: number, rows: number): Estimate {
  const z = 1.96;
  const p = correct / rows;
  const centre = (p + (z * z) / (2 * rows)) / (1 + (z * z) / rows);
  const half = (z / (1 + (z * z) / rows)) * Math.sqrt((p * (1 - p)) / rows + (z * z) / (4 * rows * rows));
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

function group(
  label: string,
  rows: number,
  [vanilla, random, weaver]: [number, number, number],
  isTotal = false,
): ResultGroup {
  const difference = (weaver - vanilla) / rows;
  return {
    label,
    rows,
    isTotal,
    values: { vanilla: share(vanilla, rows), 'random-weaver': share(random, rows), weaver: share(weaver, rows) },
    comparisons: [
      {
        arm: 'weaver',
        against: 'vanilla',
        difference: { value: difference, low: difference - 0.06, high: difference + 0.05 },
        pValue: 1e-9,
      },
      { arm: 'weaver', against: 'random-weaver', difference: { value: (weaver - random) / rows }, pValue: 0.04 },
    ],
  };
}

const arms = [
  { id: 'vanilla', label: 'vanilla' },
  { id: 'random-weaver', label: 'random weaver' },
  { id: 'weaver', label: 'trained weaver' },
];

/** A plateau, a drop, and noise that is the same every time. */
const losses = Array.from({ length: 794 }, (_, i) => ({
  step: i + 1,
  value: 0.25 + 1.6 / (1 + Math.exp((i - 320) / 45)) + 0.22 * Math.sin(i * 12.9898) * Math.cos(i * 78.233),
}));

export const sampleReport: ReportData = {
  title: 'A weaver learns the prices of a shop',
  summary:
    'With the trained weaver the frozen reasoner answers 83.0 % of the new questions about the shop; without latents 2.0 %, with an untrained weaver 1.0 %.',
  story:
    'The reasoner can do sums, clocks, days and lists, but it has never heard of this shop: its prices are in no prompt. The weaver saw solved questions only; the test asks in ways that training never showed.',
  writtenAt: '2026-11-21T11:51:00.000Z',
  highlights: [
    { value: '2.0 %', label: 'vanilla', note: '95 % interval 0.9 to 4.3' },
    { value: '1.0 %', label: 'random weaver', note: '95 % interval 0.3 to 2.9' },
    { value: '83.0 %', label: 'trained weaver', note: '95 % interval 78.3 to 86.8' },
    { value: '2 min 41 s', label: 'training', note: '794 steps on 2 cores, wasm' },
  ],
  results: [
    {
      title: 'The shop, asked in new ways',
      caption:
        'Share of right answers (exact match), with 95 % intervals (Wilson) in brackets. Differences are paired by row: bootstrap intervals and the exact McNemar test.',
      unit: 'percent',
      better: 'higher',
      arms,
      groups: [
        group('sums', 100, [0, 1, 59]),
        group('multiples', 100, [0, 0, 97]),
        group('change', 100, [6, 2, 93]),
        group('comparisons', 100, [46, 12, 58]),
        group('sums, multiples and change', 300, [6, 3, 249], true),
      ],
      notes: ['Comparisons have two possible answers, so half of them is luck; they are left out of the total.'],
    },
    {
      title: 'Skills the reasoner had before',
      caption: 'Latents off gives bit-identical answers by construction: 200 of 200 rows checked.',
      unit: 'percent',
      better: 'higher',
      arms,
      groups: [group('all families', 200, [181, 16, 18], true)],
    },
  ],
  curves: [
    {
      title: 'Training loss',
      caption: 'Mean cross entropy of the supervised tokens; faint: each step, strong: the mean over 5 % of the run.',
      valueLabel: 'loss per token',
      smooth: true,
      series: [{ label: 'training loss', points: losses }],
    },
    {
      title: 'Validation loss',
      caption: '200 held-out rows.',
      valueLabel: 'loss per token',
      series: [
        { label: 'vanilla', points: [0, 200, 400, 600, 794].map((step) => ({ step, value: 1.92 })) },
        {
          label: 'trained weaver',
          points: [1.95, 1.71, 1.44, 1.22, 1.19].map((value, i) => ({ step: Math.min(794, i * 200), value })),
        },
      ],
    },
  ],
  facts: [
    {
      title: 'Training',
      facts: [
        { label: 'steps', value: '794' },
        { label: 'tokens per second', value: '1,310' },
        { label: 'trainable parameters', value: '67,073' },
      ],
    },
    {
      title: 'Machine',
      facts: [
        { label: 'backend', value: 'wasm (the default: no native code)' },
        { label: 'cores', value: '2' },
        { label: 'peak memory', value: '412 MiB' },
      ],
    },
  ],
  examples: [
    {
      title: 'sums, row 17',
      prompt: 'Max buys a hammer and a ruler. What is the bill?',
      solution: '\\boxed{22}',
      answers: [
        { arm: 'vanilla', completion: 'Cost: hammer 4, ruler 6. 4 + 6 = 10. \\boxed{10}', correct: false },
        { arm: 'random weaver', completion: '', correct: false },
        { arm: 'trained weaver', completion: 'Cost: hammer 9, ruler 13. 9 + 13 = 22. \\boxed{22}', correct: true },
      ],
    },
    {
      title: 'change, row 3',
      prompt: 'Nia pays 50 coins for a scarf. How much change?',
      solution: '\\boxed{45}',
      answers: [
        { arm: 'vanilla', completion: 'Cost: scarf 12.\n50 - 12 = 38. \\boxed{38}', correct: false },
        { arm: 'random weaver', completion: 'Cost: Cost: Cost: Cost: Cost: Cost: Cost: Cost:', correct: false },
        { arm: 'trained weaver', completion: 'Cost: scarf 5.\n50 - 5 = 45. \\boxed{45}', correct: true },
      ],
    },
  ],
  manifest: {
    schema_version: 1,
    name: 'tiny-shop',
    seed: 1,
    status: 'finished',
    config: { training: { learning_rate: 0.002 } },
  },
  repeat: {
    commands: ['git checkout 630352b', 'npm start -- --config configs/tiny-shop.yaml --set seed=1'],
    note: 'The same backend on the same machine gives the same numbers to the bit; other machines agree up to rounding.',
  },
};
