// Test rows that a report shows: those that the arms answered differently.
import type { ExampleRow } from '@memgen/runs';
import type { TestResult } from '../evaluation/evaluation-phase.js';
import { armLabel } from './arm-labels.js';

/** Rows that tell most, spread over the families. */
export function testExamples({ test, answers }: TestResult, count: number): ExampleRow[] {
  const byRow = new Map<string, (typeof answers)[number][]>();
  for (const answer of answers) byRow.set(answer.rowId, [...(byRow.get(answer.rowId) ?? []), answer]);
  const rows = [...byRow.values()].sort((a, b) => spread(b) - spread(a));
  const families = [...new Set(rows.map(([first]) => first!.row.family))];
  const chosen: typeof rows = [];
  for (let round = 0; chosen.length < Math.min(count, rows.length); round++) {
    for (const family of families) {
      const next = rows.filter(([first]) => first!.row.family === family)[round];
      if (next !== undefined && chosen.length < count) chosen.push(next);
    }
  }
  return chosen.map((given) => {
    const arms = given.map(({ arm }) => arm);
    return {
      title: `${test.name}: ${given[0]!.rowId}`,
      prompt: given[0]!.prompt,
      solution: given[0]!.row.solution,
      answers: given.map(({ arm, completion, correct }) => ({ arm: armLabel(arm, arms), completion, correct })),
    };
  });
}

function spread(answers: readonly { correct: boolean }[]): number {
  return new Set(answers.map(({ correct }) => correct)).size;
}
