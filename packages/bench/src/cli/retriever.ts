// The `memgen-retriever` command: serves a corpus to search in.
import { MemGenError } from '@memgen/common';
import { Command, InvalidArgumentError } from 'commander';
import { Bm25Index, readCorpus, serveRetriever, type RetrieverServer } from '../retriever/index.js';

export interface RetrieverProgramOptions {
  /** Where lines go. */
  print: (line: string) => void;
  /** Told of the server once it listens. */
  onServing?: (server: RetrieverServer) => void;
}

/** Parsing `argv` starts the server; it runs until closed. */
export function retrieverProgram({ print, onServing = () => undefined }: RetrieverProgramOptions): Command {
  return new Command('memgen-retriever')
    .description("Serves passages by BM25 in Search-R1's protocol (POST /retrieve)")
    .requiredOption('--corpus <file>', 'JSON lines of {id, title, text} or {id, contents}, also gzipped')
    .option('--host <address>', 'address to listen at; there is no authentication', '127.0.0.1')
    .option('--port <number>', 'port to listen at, 0 for a free one', integer(0, 65_535), 8001)
    .option('--topk <number>', 'passages per query where a request does not say', integer(1, 100), 3)
    .action(async ({ corpus, host, port, topk }: { corpus: string; host: string; port: number; topk: number }) => {
      const passages = await readCorpus(corpus);
      const index = new Bm25Index(passages);
      const server = await serveRetriever({ index, host, port, topK: topk });
      print(`${passages.length} passages at ${server.url}`);
      onServing(server);
    });
}

/** Runs the program; errors meant for a person are printed without a stack. Returns the exit code. */
export async function runRetriever(
  argv: readonly string[],
  { print, printError }: { print: (line: string) => void; printError: (line: string) => void },
): Promise<number> {
  const close = (server: RetrieverServer) => {
    const stop = () => void server.close();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  };
  try {
    await retrieverProgram({ print, onServing: close }).parseAsync(argv);
    return 0;
  } catch (error) {
    if (!MemGenError.isInstance(error)) throw error;
    printError(error.message);
    return 1;
  }
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected an integer from ${least} to ${most}`);
  };
}
