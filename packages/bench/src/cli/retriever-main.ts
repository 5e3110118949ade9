// Entry of the `memgen-retriever` command.
import { runRetriever } from './retriever.js';

process.exitCode = await runRetriever(process.argv, {
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
});
