// The `memgen` command of @memgen/core.
import { buildProgram } from './program.js';
import { runProgram } from './run-program.js';

process.exitCode = await runProgram(buildProgram(), process.argv);
