// A copy of a decoder whose weights can be trained; the decoder itself stays as it is.
import { Random } from '@memgen/common';
import { Decoder, initializeDecoderWeights, TrainedEmbedding, type LayerWeights } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';

/** The caller disposes the copy. */
export async function trainableCopy({ config, weights }: Decoder): Promise<Decoder> {
  const copy = initializeDecoderWeights(config, Random.fromSeed(0));
  const { embedding } = copy;
  put(copy.head, weights.head);
  if (embedding instanceof TrainedEmbedding && embedding.weight !== copy.head) {
    const rows = await weights.embedding.rows();
    tf.tidy(() => {
      embedding.weight.assign(tf.transpose(tf.tensor2d(rows, [config.vocabularySize, config.hiddenSize])));
    });
  }
  put(copy.finalNorm, weights.finalNorm);
  copy.layers.forEach((layer, i) => {
    putLayer(layer, weights.layers[i]!);
  });
  return new Decoder(config, copy);
}

function putLayer(target: LayerWeights, source: LayerWeights): void {
  for (const name of ['attentionNorm', 'feedForwardNorm', 'queryNorm', 'keyNorm'] as const) {
    put(target[name], source[name]);
  }
  for (const name of ['queryKeyValue', 'output', 'gateUp', 'down'] as const) {
    put(target[name].weight, source[name].weight);
    put(target[name].bias, source[name].bias);
  }
}

function put(target: tf.Tensor | undefined, source: tf.Tensor | undefined): void {
  if (target instanceof tf.Variable && source !== undefined) target.assign(source);
}
