// Running and differentiating forward passes.
export { CheckpointTape, type Seed } from './checkpoint-tape.js';
export { eager, runOne, type Execution, type Piece } from './execution.js';
