// Entry of a worker thread in tests: lets it load TypeScript sources, then runs the one it was given.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

// A worker does not heed `--import tsx` in every version of Node.
register();
await import(workerData.entry);
