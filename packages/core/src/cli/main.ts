// The `memgen` command of @memgen/core.
import { endWithReader } from './closed-pipe.js';
import { buildProgram } from './program.js';
import { runProgram } from './run-program.js';

for (const stream of [process.stdout, process.stderr]) endWithReader(stream);
process.exitCode = await runProgram(buildProgram(), process.argv);
