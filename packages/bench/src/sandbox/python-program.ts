// What the sandbox is given and what it says.

/** A Python program, and tests of it in the manner of pytest. */
export interface PythonProgram {
  /** Sources, run one after the other in one namespace; the tests can import it as `solution`. */
  blocks: readonly string[];
  /** `everything` runs the blocks as they stand; `functions` only their imports and functions. Default `everything`. */
  keep?: 'everything' | 'functions';
  /** If nothing of this name is defined, the first function is also known by it. */
  functionName?: string;
  /** Run in the same namespace; then every function and method whose name starts with `test_`. Default: none. */
  tests?: string;
}

export interface PythonError {
  /** Name of the exception's class. */
  type: string;
  /** At most 500 characters. */
  message: string;
  /** Line of the program or the tests, counted from 1. */
  line: number | null;
  /** Of a module that was not found. */
  missingModule?: string;
}

export interface PythonTest {
  name: string;
  outcome: 'passed' | 'failed' | 'skipped';
  error: PythonError | null;
}

/**
 * - `passed`: nothing raised; of the tests, if there were any to run, none failed and there was at least one.
 * - `failed`: a test failed, or the tests hold none.
 * - `raised`: an exception outside of the test functions, or a program that ended the interpreter.
 * - `time-limit`: stopped.
 * - `crashed`: the interpreter broke (recursion too deep for it, out of memory, a forbidden call).
 */
export type PythonOutcome = 'passed' | 'failed' | 'raised' | 'time-limit' | 'crashed';

/** Comes from a place that a hostile program may have tampered with: its form is checked, its truth cannot be. */
export interface PythonVerdict {
  outcome: PythonOutcome;
  /** In one sentence, for anything but `passed`. */
  reason?: string;
  /** Tests in order of definition. */
  tests: PythonTest[];
  /** What made it `raised`. */
  error?: PythonError;
  /** First part of what was printed. */
  output: string;
}
