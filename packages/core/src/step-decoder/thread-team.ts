// Worker threads that take part in the products and the attention of a step decoder.
import { availableParallelism } from 'node:os';
import { isMainThread, Worker } from 'node:worker_threads';
import type { NativeKernels } from '../backend/native/native-kernels.js';
import { columnsTogether, scoreRows, type Kernels, type SharedKernels } from './kernels.js';
import type { WasmMemory } from '../backend/web-assembly.js';
import { panelOutputs } from './packed-matrix.js';

/** Bytes of the block through which the threads speak to each other. */
export const controlBytes = 512;

/** Reading weights from memory is what takes the time: more threads than this rarely bring more of them in. */
const mostThreads = 8;

/** Work of fewer multiplications is done before other threads have noticed it. */
const leastShared = 2 ** 17;

/** Multiplications that take as long as an exponential, and as reading and writing a number again. */
const exponentialWork = 16;
const copyWork = 4;

/** Parts of a product per thread: one that comes late finds something left to do. */
const partsPerThread = 16;

/** The whole program of a thread: it needs no file, and no loader of the main thread's. */
const program = `
const { module, memory, control, thread, addon } = require('node:worker_threads').workerData;
const none = () => undefined;
const native = addon === undefined
  ? { present: 0, multiply: none, attend: none, activate: none }
  : { present: 1, ...require(addon)(new Uint8Array(memory.buffer)) };
new WebAssembly.Instance(module, { env: { memory }, native }).exports.work(control, thread);
`;

/** One thread a processor in the main thread; one in a worker, whose program has shared the processors out already. */
export function defaultThreads(): number {
  return isMainThread ? Math.min(mostThreads, availableParallelism()) : 1;
}

interface TeamOptions {
  module: object;
  memory: WasmMemory;
  threads: number;
  /** What this thread's kernels were created with. */
  native?: NativeKernels | undefined;
}

/** The threads end with {@link ThreadTeam.dispose}, or with the process: they do not keep it alive. */
export class ThreadTeam {
  /** Kernels whose work the team shares. Results do not depend on the number of threads. */
  readonly kernels: Kernels;
  private disposed = false;

  /**
   * @param control - address of {@link controlBytes} zeros in the memory.
   * @param threads - this one among them.
   */
  constructor(
    private readonly shared: SharedKernels,
    private readonly control: number,
    { module, memory, threads, native }: TeamOptions,
  ) {
    for (let thread = 1; thread < threads; thread++) {
      const workerData = { module, memory, control, thread, addon: native?.path };
      // A thread that does not start leaves its parts to the others.
      new Worker(program, { eval: true, workerData, execArgv: [], env: {} }).on('error', () => undefined).unref();
    }
    const together =
      (wide: 0 | 1): Kernels['multiplyFloat32'] =>
      (x, rows, inputs, weights, bias, outputs, y, accumulate) => {
        if (this.disposed || rows * inputs * outputs < leastShared) {
          const alone = wide === 1 ? shared.multiplyFloat32 : shared.multiplyBfloat16;
          alone(x, rows, inputs, weights, bias, outputs, y, accumulate);
          return;
        }
        const part = panelOutputs * Math.ceil(outputs / (panelOutputs * partsPerThread * threads));
        shared.multiplyTogether(control, wide, part, x, rows, inputs, weights, bias, outputs, y, accumulate);
      };
    const headsOfPart = (count: number, heads: number, group: number): number => {
      const columns = columnsTogether(group);
      if (count >= 2 * threads * columns) return columns * heads;
      // Threads without a group help with the heads of one; otherwise reading keys and values twice costs more.
      return (count * heads) / group < threads ? 1 : group;
    };
    const partOf = (rows: number) => Math.ceil(rows / (partsPerThread * threads));
    this.kernels = {
      ...shared,
      multiplyFloat32: together(1),
      multiplyBfloat16: together(0),
      attend: (...attention) => {
        const [, count, , heads, group, headSize, , scoresBytes] = attention;
        const columns = scoresBytes / (4 * scoreRows(group));
        if (this.disposed || 2 * count * columns * heads * headSize < leastShared) shared.attend(...attention);
        else shared.attendTogether(control, headsOfPart(count, heads, group), ...attention);
      },
      gatedActivation: (...activation) => {
        const [, , rows, size] = activation;
        if (this.disposed || exponentialWork * rows * size < leastShared) shared.gatedActivation(...activation);
        else shared.gateTogether(control, partOf(rows), ...activation);
      },
      rmsNorm: (...norm) => {
        const [, , , rows, size] = norm;
        if (this.disposed || copyWork * rows * size < leastShared) shared.rmsNorm(...norm);
        else shared.normTogether(control, partOf(rows), ...norm);
      },
    };
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.shared.dismiss(this.control);
  }
}
