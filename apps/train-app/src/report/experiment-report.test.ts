// What a report says about an experiment with a trigger: memory where it helps, old skills untouched.
import { summarise } from '@memgen/bench';
import { renderReport, type RunManifest } from '@memgen/runs';
import { describe, expect, it } from 'vitest';
import type { TestResult } from '../evaluation/evaluation-phase.js';
import type { TestSet } from '../tasks/task.js';
import { experimentReport } from './experiment-report.js';
import { headlineSentence } from './headline-sentence.js';
import type { ReportedExperiment } from './reported-experiment.js';
import { weaveRateLine } from './weave-rates.js';

const rows = 4;
/** @param right - right answers of each arm. */
function resultOf(
  test: Omit<TestSet, 'questions'>,
  right: Record<string, number>,
  rates: Record<string, number>,
): TestResult {
  const questions = Array.from({ length: rows }, (_, i) => ({
    id: String(i),
    family: 'all',
    messages: [{ role: 'user' as const, content: 'How much?' }],
    solution: '7',
  }));
  const answers = Object.entries(right).flatMap(([arm, count]) =>
    questions.map((row, i) => ({
      rowId: row.id,
      row,
      arm,
      prompt: 'How much?',
      completion: i < count ? '7' : '8',
      extracted: undefined,
      correct: i < count,
      ids: [1],
      woven: 0,
      decisions: 1,
    })),
  );
  const headline = summarise({ rows: questions, answers, arms: Object.keys(right), baseArm: 'vanilla' });
  return {
    test: { ...test, questions },
    answers,
    summaries: headline,
    headline,
    weaveRates: new Map(Object.entries(rates)),
    rates: new Map(),
  };
}

const rates = { weaver: 1, 'weaver+trigger': 0.25 };
const shop = resultOf(
  { name: 'shop', title: 'The shop', purpose: 'memory' },
  { vanilla: 0, weaver: 4, 'weaver+trigger': 4 },
  { ...rates, 'weaver+trigger': 1 },
);
const skills = resultOf(
  { name: 'skills', title: 'Old skills', purpose: 'skills' },
  { vanilla: 4, weaver: 1, 'weaver+trigger': 4 },
  rates,
);
const manifest: RunManifest = {
  schema_version: 1,
  name: 'shop',
  status: 'finished',
  seed: 1,
  config: {},
  models: [],
  data: [],
  sessions: [
    {
      command: ['npm', 'start'],
      started_at: '2026-01-01T00:00:00.000Z',
      from_step: 0,
      backend: { name: 'wasm' },
      machine: { node: '24', platform: 'linux', cpu: 'a processor', cpu_cores: 2, memory_bytes: 2 ** 30 },
      packages: {},
    },
  ],
};
const reported: ReportedExperiment = {
  task: { story: 'A shop.' },
  results: [shop, skills],
  validation: new Map(),
  validationRows: 0,
  untouched: { rows, changed: 0 },
  metrics: [],
  manifest,
  facts: [],
  commands: ['npm start'],
  writtenAt: '2026-01-01T00:00:00.000Z',
};

describe('the report of a trigger', () => {
  it('compares it with the weaver at every point and with the reasoner, on both tests', () => {
    const sentence = headlineSentence(reported);
    expect(sentence).toContain(
      'The shop: 100.0 % of 4 answers right with weaver and trigger, 100.0 % with the weaver at every point, 0.0 % by the reasoner alone',
    );
    expect(sentence).toContain(
      'Old skills: 100.0 % of 4 answers right with weaver and trigger, 25.0 % with the weaver',
    );
    expect(sentence).toContain('The trigger weaves at 25.0 % of the points.');
    expect(sentence).toContain('all 4 answers on old skills are the same as before training');
    expect(weaveRateLine(skills)).toBe('weave rate: weaver 100.0 %, weaver+trigger 25.0 %');
  });

  it('shows both tests in one table and one picture, and how often latents went in', async () => {
    const { results } = experimentReport(reported);
    expect(results.map(({ title }) => title)).toEqual(['At a glance', 'How often latents are woven in', 'The shop', 'Old skills']); // prettier-ignore
    expect(results[0]!.groups.map(({ label, values }) => [label, values['weaver+trigger']!.value])).toEqual([
      ['The shop', 1],
      ['Old skills', 1],
    ]);
    const everywhere = { vanilla: { value: 0 }, weaver: { value: 1 } };
    expect(results[1]!.groups[1]!.values).toEqual({ ...everywhere, 'weaver+trigger': { value: 0.25 } });
    expect(results[3]!.notes).toBeUndefined();
    const page = await renderReport(experimentReport(reported));
    expect(page).toContain('share of points');
  });

  it('says of a weaver alone what it costs', () => {
    const alone = resultOf(
      { name: 'skills', title: 'Old skills', purpose: 'skills' },
      { vanilla: 4, weaver: 1 },
      rates,
    );
    const { results, highlights } = experimentReport({ ...reported, results: [alone] });
    expect(results.at(-1)!.notes?.[0]).toContain('a trigger that weaves only where memory helps');
    expect(highlights).toEqual([]);
    expect(headlineSentence({ ...reported, results: [alone] })).not.toContain('Old skills');
  });
});
