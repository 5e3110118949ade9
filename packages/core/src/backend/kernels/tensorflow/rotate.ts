// Rotary position embedding on TensorFlow; `ops/rotary.ts` says what it computes.
import { switchOf } from '../kernel-arguments.js';
import { kernelOf } from './operations.js';

/** `x, cos, sin, halfTurn -> output` */
export const rotate = kernelOf((run, inputs, attributes) => {
  const [x, cos, sin, halfTurn] = run.inputs(inputs, ['x', 'cos', 'sin', 'halfTurn']);
  const turn = (vectors: typeof x) => {
    const rows = run.reshape(vectors, [-1, halfTurn.shape[0]!]);
    return run.reshape(run.product(rows, halfTurn), x.shape);
  };
  if (switchOf(attributes, 'back')) return [run.subtract(run.multiply(x, cos), turn(run.multiply(x, sin)))];
  return [run.add(run.multiply(x, cos), run.multiply(turn(x), sin))];
});
