// Exact-match accuracy of a model folder on held-out rows of every family.
import { generate, loadReasoner } from '@memgen/core';
import { renderRow } from '../src/tokenizer/render.js';
import { evaluationRows } from '../src/world/evaluation-rows.js';
import { families, type Family } from '../src/world/row.js';
import { exactMatch } from '../src/world/scoring.js';

export interface Skill {
  family: Family;
  rows: number;
  /** In [0, 1]. */
  accuracy: number;
}

/** Greedy answers to `rowsPerFamily` held-out rows of each family. */
export async function measureSkills(
  folder: string,
  { rowsPerFamily, seed }: { rowsPerFamily: number; seed: number },
): Promise<Skill[]> {
  const reasoner = await loadReasoner(folder);
  const skills: Skill[] = [];
  for (const family of families) {
    const rows = evaluationRows({ seed, family, count: rowsPerFamily });
    let correct = 0;
    for (let start = 0; start < rows.length; start += 100) {
      const batch = rows.slice(start, start + 100);
      const prompts = batch.map((row) => {
        const { prompt, given } = renderRow(row);
        return reasoner.tokenizer.encode(prompt + given);
      });
      const answers = await generate(reasoner, prompts, { maxNewTokens: 48 });
      answers.forEach(({ ids }, i) => {
        const completion = reasoner.tokenizer.decode(ids, { skipSpecialTokens: true });
        correct += exactMatch(completion, batch[i]!.answer);
      });
    }
    skills.push({ family, rows: rows.length, accuracy: correct / rows.length });
  }
  return skills;
}
