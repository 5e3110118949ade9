// Running and differentiating forward passes.
export { eager, runOne, type Execution, type Linearized, type Piece } from './execution.js';
export { Tape, type Seed, type TapeOptions } from './tape.js';
export { readLoss, valuesOf } from './values-of.js';
