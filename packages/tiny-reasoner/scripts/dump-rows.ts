// Prints rows as JSON lines {family, user, assistant, given, answer, prompt_ids, given_ids, completion_ids}. Run with tsx:
//   dump-rows.ts pretraining SEED COUNT [MIX AS JSON] | evaluation SEED COUNT_PER_FAMILY | shop SEED TRAINING_COUNT TEST_PER_FAMILY
import { Tokenizer } from '@huggingface/tokenizers';
import {
  buildTokenizer,
  createPretrainingRows,
  createShop,
  evaluationRows,
  families,
  mainMix,
  renderRow,
  type Mix,
  type WorldRow,
} from '../src/index.js';

const { tokenizer, config } = buildTokenizer();
const encoder = new Tokenizer(tokenizer, config);

function ids(text: string): number[] {
  return text === '' ? [] : encoder.encode(text, { add_special_tokens: false }).ids;
}

function print(row: WorldRow): void {
  const { prompt, given, completion } = renderRow(row);
  const [user, assistant] = row.messages.map(({ content }) => content);
  const encoded = { prompt_ids: ids(prompt), given_ids: ids(given), completion_ids: ids(completion) };
  process.stdout.write(
    `${JSON.stringify({ family: row.family, user, assistant, given: row.given, answer: row.answer, ...encoded })}\n`,
  );
}

const [what, seedText = '0', countText = '100', extra] = process.argv.slice(2);
const seed = Number(seedText);
const count = Number(countText);
if (what === 'pretraining') {
  const mix: Mix = { ...mainMix, ...(extra === undefined ? {} : (JSON.parse(extra) as Partial<Mix>)) };
  const rows = createPretrainingRows({ seed, mix });
  for (let i = 0; i < count; i++) print(rows.next().value);
} else if (what === 'evaluation') {
  for (const family of families) for (const row of evaluationRows({ seed, family, count })) print(row);
} else {
  const shop = createShop({ seed });
  for (const row of shop.trainingRows(count)) print({ ...row, family: `train/${row.family}` });
  for (const rows of Object.values(shop.testRows({ perFamily: Number(extra ?? 100) }))) rows.forEach(print);
}
