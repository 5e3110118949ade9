// Loads a freshly built tfjs-node in a process of its own and lets it multiply two matrices.
import { MemGenError } from '@memgen/common';
import { tfjsLinkKey, tfjsPath } from '../engines/tfjs-link.js';
import { complaint } from './engine-package.js';
import { runProcess } from './run-process.js';

const script = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value == null;
util.isArray ??= Array.isArray;
const [, tfjs, folder] = process.argv;
globalThis[Symbol.for('${tfjsLinkKey}')] = require(tfjs);
const tf = require(folder);
const [product] = tf.matMul([[1, 2]], [[3], [4]]).dataSync();
if (product !== 11) throw new Error('[1 2] x [3 4] gave ' + product + ' instead of 11');
process.stdout.write('\\nversion ' + tf.backend().binding.TF_Version);
`;

/** Throws `MemGenError` (`backend-check`) if the package does not load or computes wrongly. */
export async function checkAddon(packageFolder: string): Promise<{ version: string }> {
  const result = await runProcess(process.execPath, ['-e', script, tfjsPath(), packageFolder], {
    environment: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    timeout: 120_000,
  });
  const version = /^version (\S+)$/m.exec(result.stdout)?.[1];
  if (result.code === 0 && version !== undefined) return { version };
  const illegal = result.signal === 'SIGILL';
  throw new MemGenError({
    code: 'backend-check',
    message: 'tfjs-node was built but does not compute on this machine',
    got: result.signal === null ? complaint(result.stderr) : `it was ended by ${result.signal}`,
    hint: illegal ? 'this processor lacks AVX, which libtensorflow needs: stay on wasm' : 'stay on the wasm backend',
  });
}
