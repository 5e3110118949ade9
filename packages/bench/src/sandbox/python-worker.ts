// The thread that holds one CPython: loads it, takes its bridge to JavaScript away, runs programs on a fresh interpreter.
import { parentPort, workerData } from 'node:worker_threads';
import { protectFiles } from './file-system.js';
import { guardImports } from './import-guard.js';
import type { PyodideRuntime, WorkerReply, WorkerRequest, WorkerSettings } from './worker-types.js';
import { harnessSource, prepareSource, runSource } from './python-sources.js';

/** Where the program is put for the interpreter, and where its verdict is found, in the file system in memory. */
const requestPath = '/run/request.json';
const replyPath = '/run/reply.json';

async function main(settings: WorkerSettings): Promise<void> {
  const port = parentPort!;
  // Nothing of the host's places is to be seen from Python.
  process.argv.splice(1);
  const guard = guardImports({ module: settings.module, memoryLimit: settings.memoryLimit });
  const { loadPyodide } = (await import(settings.pyodide)) as PyodideRuntime;
  const pyodide = await loadPyodide({
    indexURL: settings.folder,
    jsglobals: Object.create(null) as object,
    env: { HOME: '/home/pyodide' },
    stdin: () => null,
    stdout: () => undefined,
    stderr: () => undefined,
  });
  const runtime = pyodide._module;
  runtime.FS.mkdir('/run');
  runtime.FS.writeFile('/run/harness.py', harnessSource);
  runtime.FS.writeFile(replyPath, '');
  pyodide.runPython(prepareSource);
  const command = runtime.stringToNewUTF8(runSource);
  const removeFiles = protectFiles(runtime, settings.fileLimit, replyPath);
  guard.lock();
  const stack = runtime.stackSave();
  const image = guard.memory().slice();
  port.postMessage({ kind: 'ready' } satisfies WorkerReply);

  port.on('message', (request: WorkerRequest) => {
    // The whole state of the interpreter lies in its memory, so this is a new one.
    const memory = guard.memory();
    memory.set(image);
    memory.fill(0, image.length);
    runtime.stackRestore(stack);
    removeFiles();
    runtime.FS.writeFile(replyPath, '');
    runtime.FS.writeFile(requestPath, JSON.stringify(request.program));
    let reply: WorkerReply;
    try {
      runtime._PyRun_SimpleString(command);
      reply = { kind: 'finished', id: request.id, verdict: runtime.FS.readFile(replyPath, { encoding: 'utf8' }) };
    } catch (error) {
      reply = { kind: 'broken', id: request.id, denied: guard.denied(), reason: describe(error) };
    }
    port.postMessage(reply);
  });
}

function describe(error: unknown): string {
  const { name = 'Error', message = '' } = (error ?? {}) as { name?: string; message?: string };
  return `${name}: ${message}`.slice(0, 500);
}

await main(workerData as WorkerSettings);
