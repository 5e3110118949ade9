// The server side of searching.
export { Bm25Index, type Bm25Options } from './bm25-index.js';
export { readCorpus, type Passage } from './read-corpus.js';
export {
  serveRetriever,
  type RetrieverServer,
  type RetrieverServerOptions,
  type SearchIndex,
} from './retriever-server.js';
