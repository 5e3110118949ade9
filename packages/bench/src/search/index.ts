// Questions answered with a search engine.
export { containsAlias, isExactMatch, lastAnswer, normalizeAnswer } from './question-answering.js';
export { RetrieverClient, type RetrieverClientOptions } from './retriever-client.js';
export type { Retrieve, RetrievedPassage } from './retrieve.js';
export {
  invalidActionMessage,
  nothingFoundMessage,
  renderPassages,
  SearchEnvironment,
  searchSystemPrompt,
  type SearchEnvironmentOptions,
} from './search-environment.js';
