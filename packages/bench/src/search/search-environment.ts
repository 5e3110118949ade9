// A question that may be looked up: think, search, read, answer, over several turns, after Search-R1.
import {
  MemGenError,
  type ChatMessage,
  type Environment,
  type EnvironmentResetOptions,
  type EnvironmentStep,
} from '@memgen/common';
import type { TriviaQaRow } from '../data/triviaqa.js';
import type { Retrieve, RetrievedPassage } from './retrieve.js';
import { containsAlias, isExactMatch } from './question-answering.js';

/** The reference's words, to the byte; it ends with a blank. */
export const searchSystemPrompt =
  'Answer the given question. You must conduct reasoning inside <think> and </think> first every time you get new information. After reasoning, if you find you lack some knowledge, you can call a search engine by <search> query </search> and it will return the top searched results between <information> and </information>. You can search as many times as your want. If you find no further external knowledge needed, you can directly provide the answer inside <answer> and </answer>, without detailed illustrations. For example, <answer> Beijing </answer>. ';

/** What the model reads after a turn that neither searches nor answers. */
export const invalidActionMessage =
  '\nMy previous action is invalid. If I want to search, I should put the query between <search> and </search>. If I want to give the final answer, I should put the answer between <answer> and </answer>. Let me try again.\n';

/** What the model reads when the search failed. */
export const nothingFoundMessage = 'Cannot find corresponding pages.';

export interface SearchEnvironmentOptions {
  retrieve: Retrieve;
  /** Passages per search. Default 3. */
  topK?: number;
  /** Default 8. */
  maximumTurns?: number;
  /** When an answer is right: an alias is in it (the reference), or it equals one. Default the first. */
  scoring?: 'contains' | 'exact-match';
}

/**
 * The prompt says that results stand between `<information>` tags; the reference gives them without, and so does this.
 * `info` of a step: `{kind, query?, found?, error?, answer?}` with kind `search`, `answer` or `invalid`.
 */
export class SearchEnvironment implements Environment<TriviaQaRow> {
  readonly stopStrings = ['</search>', '</answer>'];
  readonly maximumTurns: number;
  private readonly retrieve: Retrieve;
  private readonly topK: number;
  private readonly scoring: 'contains' | 'exact-match';
  private task: TriviaQaRow | undefined;

  constructor({ retrieve, topK = 3, maximumTurns = 8, scoring = 'contains' }: SearchEnvironmentOptions) {
    this.retrieve = retrieve;
    this.topK = topK;
    this.maximumTurns = maximumTurns;
    this.scoring = scoring;
  }

  reset(task: TriviaQaRow, { signal }: EnvironmentResetOptions): Promise<ChatMessage[]> {
    signal?.throwIfAborted();
    this.task = task;
    return Promise.resolve([
      { role: 'system', content: searchSystemPrompt },
      { role: 'user', content: task.question },
    ]);
  }

  async step(text: string, { signal }: { signal?: AbortSignal } = {}): Promise<EnvironmentStep> {
    const { task } = this;
    if (task === undefined) {
      throw new MemGenError({
        code: 'environment-done',
        message: 'there is no episode to go on with',
        hint: 'call reset before the first step, and again once an episode is done',
      });
    }
    const action = cutAction(text);
    const query = between(action, 'search');
    if (query !== undefined) return this.search(action, query, signal);
    const answer = between(action, 'answer');
    if (answer !== undefined) {
      this.task = undefined;
      const isRight = this.scoring === 'contains' ? containsAlias : isExactMatch;
      const reward = Number(isRight(answer, task.answers));
      return { action, observation: undefined, reward, done: true, info: { kind: 'answer', answer } };
    }
    return { action, observation: invalidActionMessage, reward: 0, done: false, info: { kind: 'invalid' } };
  }

  dispose(): Promise<void> {
    this.task = undefined;
    return Promise.resolve();
  }

  private async search(action: string, query: string, signal: AbortSignal | undefined): Promise<EnvironmentStep> {
    try {
      const [passages = []] = await this.retrieve([query], { topK: this.topK, signal });
      const info = { kind: 'search', query, found: passages.length };
      return { action, observation: renderPassages(passages), reward: 0, done: false, info };
    } catch (error) {
      signal?.throwIfAborted();
      // The model cannot help it; the record shows it.
      const info = { kind: 'search', query, found: 0, error: error instanceof Error ? error.message : String(error) };
      return { action, observation: nothingFoundMessage, reward: 0, done: false, info };
    }
  }
}

/** Up to and with the first `</search>`, else the first `</answer>`, else all. */
function cutAction(text: string): string {
  for (const tag of ['</search>', '</answer>']) {
    const at = text.indexOf(tag);
    if (at >= 0) return text.slice(0, at + tag.length);
  }
  return text;
}

/** First line of the content of the first such element. */
function between(action: string, tag: 'search' | 'answer'): string | undefined {
  const content = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(action)?.[1];
  return content?.trim().split('\n', 1)[0];
}

/** `Doc 1(Title: T) body` and a newline, for each passage. */
export function renderPassages(passages: readonly RetrievedPassage[]): string {
  return passages.map(({ title, text }, i) => `Doc ${i + 1}(Title: ${title}) ${text}\n`).join('');
}
