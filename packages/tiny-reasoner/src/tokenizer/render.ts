// A row as the text a model reads: ChatML, cut where the part to be learned begins.
import type { WorldRow } from '../world/row.js';

/** `prompt` + `given` come before what the model is to write; `completion` ends with the end token and a line end. */
export function renderRow(row: WorldRow): { prompt: string; given: string; completion: string } {
  const [question, solution] = row.messages;
  return {
    prompt: `<|im_start|>user\n${question.content}<|im_end|>\n<|im_start|>assistant\n`,
    given: solution.content.slice(0, row.given),
    completion: `${solution.content.slice(row.given)}<|im_end|>\n`,
  };
}
