// Python programs run apart from the host.
export type { PythonError, PythonOutcome, PythonProgram, PythonTest, PythonVerdict } from './python-program.js';
export { PythonSandbox, type PythonSandboxOptions } from './python-sandbox.js';
