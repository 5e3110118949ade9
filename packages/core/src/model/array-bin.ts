// Where arrays go whose values lie with the backend by now.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';

/**
 * Gives the memory of arrays back at once. Left to the garbage collector, which does not hurry for what lies outside of
 * its heap, a quarter of a model's size would wait there while it is loaded. An array that is sent to a closed port belongs
 * to nobody.
 */
export class ArrayBin {
  private constructor(private readonly port: MessagePort) {}

  static async open(): Promise<ArrayBin> {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    // The port learns of it with the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    return new ArrayBin(port1);
  }

  /**
   * A new array for a tensor. It does not begin where a tensor's memory may begin, so that TensorFlow copies it instead of
   * computing with the very array.
   */
  static array(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(new ArrayBuffer(4 * length + 4), 4, length);
  }

  /** Nobody may use the array, or what shares its buffer, any more. */
  drop(values: Float32Array): void {
    if (values.buffer instanceof ArrayBuffer) this.port.postMessage(undefined, [values.buffer]);
  }

  /** The same for an array that a tensor was made of, unless the backend goes on reading it. */
  dropUploaded(values: Float32Array, tensor: tf.Tensor): void {
    if (!['wasm', 'tensorflow'].includes(tf.getBackend()) || values.length === 0) return;
    const first = values[0]!;
    values[0] = first === 0 ? 1 : 0;
    const isCopied = Object.is(firstOf(tensor), first);
    values[0] = first;
    if (isCopied) this.drop(values);
  }

  close(): void {
    this.port.close();
  }
}

/** A new tensor's values stay in JavaScript until its first use in most backends. Used now, they are with the backend. */
export function upload(tensor: tf.Tensor): void {
  firstElement(tensor).dispose();
}

function firstOf(tensor: tf.Tensor): number {
  const element = firstElement(tensor);
  try {
    return element.dataSync()[0]!;
  } finally {
    element.dispose();
  }
}

function firstElement(tensor: tf.Tensor): tf.Tensor {
  const start = tensor.shape.map(() => 0);
  const size = tensor.shape.map(() => 1);
  return tf.slice(tensor, start, size);
}
