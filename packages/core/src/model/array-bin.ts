// Where arrays go whose values lie with the backend by now.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';

/**
 * Gives the memory of arrays back at once. Left to the garbage collector, which does not hurry for what lies outside of
 * its heap, a quarter of a model's size would wait there while it is loaded. An array that is sent to a closed port belongs
 * to nobody.
 */
export class ArrayBin {
  private constructor(
    private readonly port: MessagePort,
    /** Whether the backend goes on reading the arrays that tensors were made of. */
    private readonly backendKeeps: boolean,
  ) {}

  static async open(): Promise<ArrayBin> {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    // The port learns of it with the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    return new ArrayBin(port1, await backendKeepsArrays());
  }

  /** Nobody may use the array any more. One that is a part of a larger buffer is left to the garbage collector. */
  drop(values: Float32Array): void {
    const { buffer } = values;
    const isWhole = values.byteLength === buffer.byteLength;
    if (isWhole && buffer instanceof ArrayBuffer) this.port.postMessage(undefined, [buffer]);
  }

  /** The same for an array that a tensor was made of; the backend has taken its values over. */
  dropUploaded(values: Float32Array): void {
    if (!this.backendKeeps) this.drop(values);
  }

  close(): void {
    this.port.close();
  }
}

async function backendKeepsArrays(): Promise<boolean> {
  const values = Float32Array.of(1);
  const tensor = tf.tensor1d(values);
  upload(tensor);
  values[0] = 2;
  try {
    return (await tensor.data())[0] === 2;
  } finally {
    tensor.dispose();
  }
}

/** A new tensor's values stay in JavaScript until its first use in most backends. Used now, they are with the backend. */
export function upload(tensor: tf.Tensor): void {
  const start = tensor.shape.map(() => 0);
  tf.slice(
    tensor,
    start,
    start.map(() => 1),
  ).dispose();
}
