// What the trainers suite runs, and how a trainer's reports become its rows.
import { modelFolder } from '@memgen/tiny-reasoner';
import { expect, it } from 'vitest';
import { buildRows } from '../frame/build-rows.js';
import { figureSchema, FigureSet, type FigureInput } from '../frame/figure.js';
import * as policies from './policies.js';
import { StepMeter } from './step-meter.js';
import { trainersSuite } from './suite.js';
import * as supervised from './supervised.js';

const facts = { backend: 'wasm', dtype: 'float32' } as const;

function rowsOf(inputs: readonly FigureInput[]) {
  const figures = new FigureSet();
  for (const input of inputs) figures.add(figureSchema.parse(input));
  return buildRows(trainersSuite, figures, { published: true }).map(({ name, unit, value }) => [name, unit, value]);
}

it('gives each method a process of its own, whole models only where they are tiny', () => {
  const only = new Set(['full-sft', 'trigger-grpo', 'sharing']);
  const labels = (model: string) =>
    trainersSuite.jobs({ quick: true, model, backends: ['wasm', 'tensorflow'], only }).map(({ label }) => label);
  expect(labels(modelFolder())).toEqual([
    'wasm float32: full-sft',
    'wasm float32: trigger-grpo',
    'wasm float32: a group with and without a shared prompt',
    'tensorflow float32: full-sft',
    'tensorflow float32: trigger-grpo',
    'tensorflow float32: a group with and without a shared prompt',
  ]);
  expect(labels('models/large').filter((label) => label.includes('full-sft'))).toEqual([]);
});

it('turns steps into rates and times of their parts, the first step left out', () => {
  let now = 0;
  const meter = new StepMeter(() => now);
  const report = { steps: 3, loss: 1, gradientNorm: 1, learningRate: 1, tokens: 1 };
  for (const [step, milliseconds, readTokens] of [[1, 900, 80], [2, 500, 80], [3, 250, 60]] as const) {
    now += milliseconds;
    meter.take({ ...report, step, readTokens, times: { rollout: milliseconds / 2, forward: milliseconds / 5 } });
  } // prettier-ignore
  const figures = meter.figures('weaver-grpo', facts);
  expect(figures.map(({ samples }) => samples)).toEqual([
    [2, 4],
    [160, 240],
    [250, 125],
    [100, 50],
  ]);
  expect(rowsOf(figures)).toEqual([
    ['weaver GRPO, 2 x 4 completions of 32 (wasm, float32)', 'steps/s', 3],
    ['weaver GRPO, 2 x 4 completions of 32: tokens read (wasm, float32)', 'tokens/s', 200],
    ['weaver GRPO, 2 x 4 completions of 32: rollout (wasm, float32)', 'ms', 187.5],
    ['weaver GRPO, 2 x 4 completions of 32: forward (wasm, float32)', 'ms', 75],
  ]);
});

it('sets a shared prompt against one that is read again, and two workers against one', () => {
  const rows = rowsOf([
    { ...facts, measure: 'group-together', unit: 'tokens/s', samples: [300, 320, 310] },
    { ...facts, measure: 'group-apart', unit: 'tokens/s', samples: [155] },
    ...[0, 1, 2].map((workers) => {
      const samples = [100 + 20 * workers];
      return { ...facts, measure: 'rollout-played', sizes: { workers }, unit: 'tokens/s', samples };
    }),
  ]);
  expect(rows.slice(-2)).toEqual([
    ['a group of 8, prompt of 128, 32 new tokens, once as multiple of for each (wasm, float32)', 'x', 2],
    ['rollout of 4 x 8 completions of 32, by 2 workers as multiple of by 1 (wasm, float32)', 'x', 140 / 120],
  ]);
  expect(rows.map(([name]) => name)).toContain('rollout of 4 x 8 completions of 32, by 1 worker (wasm, float32)');
});

it.each([
  ['adapter-sft', supervised, ['forward', 'backward', 'optimizer']],
  ['trigger-grpo', policies, ['rollout', 'reward', 'policies', 'forward', 'backward', 'optimizer']],
] as const)('measures a trainer as the process does: %s', async (method, { run }, itsParts) => {
  const figures: FigureInput[] = [];
  await run(
    { ...facts, model: modelFolder(), quick: true, only: [method] },
    {
      figure: (figure) => void figures.push(figure),
      attempt: (_, work) => work(),
    },
  );
  const measures = ['steps', 'tokens', ...itsParts, 'memory'];
  expect(figures.map(({ measure }) => measure)).toEqual(measures.map((measure) => `${method}-${measure}`));
  for (const figure of figures) {
    expect(trainersSuite.kinds).toHaveProperty(figure.measure);
    expect(Math.min(...figureSchema.parse(figure).samples)).toBeGreaterThan(0);
  }
});
