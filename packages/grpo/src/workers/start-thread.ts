// Starts a file of this package as a thread, from sources and from the built package alike.
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Address of a module that lies beside this one, in the sources or in the built package. */
export function moduleBeside(name: string): URL {
  return new URL(`./${name}${extension()}`, import.meta.url);
}

/** @param name - of a module beside this one. */
export function startThread(name: string, options: Pick<WorkerOptions, 'workerData' | 'resourceLimits'>): Worker {
  const entry = moduleBeside(name);
  if (extension() !== '.ts') return new Worker(entry, options);
  // From sources, as in tests, the thread first learns to read TypeScript.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const reader = new URL('dist/esm/api/index.mjs', tsx).href;
  const program = `import(${JSON.stringify(reader)}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); });`;
  return new Worker(program, { ...options, eval: true, execArgv: ['--conditions=@memgen/source'] });
}

function extension(): string {
  return extname(fileURLToPath(import.meta.url));
}
