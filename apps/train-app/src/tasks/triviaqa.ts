// TriviaQA with a search engine, over several turns, as Search-R1 has it.
import {
  answerFormatReward,
  loadTriviaQa,
  RetrieverClient,
  SearchEnvironment,
  searchSystemPrompt,
  type TriviaQaRow,
} from '@memgen/bench';
import type { ChatMessage } from '@memgen/common';
import type { Experiment } from '../config/load-experiment.js';
import { fileFacts } from './supervised-rows.js';
import { ofTask, type Task } from './task.js';

type TriviaQaData = Extract<Experiment['data'], { task: 'triviaqa' }>;

/** @throws MemGenError at once if the retriever does not answer; of a missing or broken data file. */
export async function createTriviaQaTask(data: TriviaQaData, seed: number): Promise<Task> {
  const loaded = await loadTriviaQa({ seed, ...(data.source !== undefined && { source: data.source }) });
  const client = new RetrieverClient({ url: data.retriever });
  await client.check();
  const environment = () =>
    new SearchEnvironment({
      retrieve: client.retrieve,
      topK: data.topK,
      maximumTurns: data.maxTurns,
      scoring: data.scoring,
    });
  const training = loaded.train.slice(0, data.maxTrainRows);
  const tested = loaded.test.slice(0, data.testRows);
  const all = loaded.train.length + loaded.validation.length + loaded.test.length;
  return {
    story:
      'Questions with answers in an encyclopedia. The model may search several times before it answers; it is rewarded ' +
      'for the right answer alone.',
    training: [],
    validation: [],
    policy: {
      rows: training.map((row) => ({ messages: messagesOf(row), task: row })),
      environment,
      rewards: { form: ofTask(answerFormatReward()) },
    },
    tests:
      tested.length === 0
        ? []
        : [
            {
              name: 'triviaqa',
              title: 'TriviaQA, held-out questions',
              purpose: 'memory',
              environment,
              questions: tested.map((row) => ({
                id: row.id,
                family: 'triviaqa',
                messages: messagesOf(row),
                solution: row.answers.join(' | '),
                task: row,
              })),
            },
          ],
    score: () => ({ extracted: undefined, correct: false }),
    data: await fileFacts('triviaqa', loaded.files, () => all),
    counted: () => ({
      title: 'Searches',
      facts: [
        { label: 'answered', value: String(client.counts.answered) },
        { label: 'failed (the model read that the search failed)', value: String(client.counts.failed) },
      ],
    }),
  };
}

function messagesOf({ question }: TriviaQaRow): ChatMessage[] {
  return [
    { role: 'system', content: searchSystemPrompt },
    { role: 'user', content: question },
  ];
}
