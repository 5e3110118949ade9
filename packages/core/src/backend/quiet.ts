// Runs a start-up step without the advertisements and duplicate-registration warnings of tfjs.
import * as tf from '@tensorflow/tfjs';

/**
 * Runs `work` while tfjs logs nothing. tfjs has no logger to set; its own flag `PROD` is what turns its console
 * messages off, so it is raised for the duration of the call.
 */
export async function quietly<RESULT>(work: () => RESULT | Promise<RESULT>): Promise<RESULT> {
  const environment = tf.env();
  const before = environment.getBool('PROD');
  environment.set('PROD', true);
  try {
    return await work();
  } finally {
    environment.set('PROD', before);
  }
}
