// Optimizers, schedules, gradient arithmetic.
export { AdamW, decaysByDefault, type AdamWOptions } from './adamw.js';
export { combineOptimizers, type OptimizerPart } from './combined-optimizer.js';
export { accumulateGradients, clipGradients, disposeGradients, gradientNorm, type Gradients } from './gradients.js';
export { Muon, orthogonalize, type MuonOptions } from './muon.js';
export type { Optimizer } from './optimizer.js';
export { createSchedule, type Schedule, type ScheduleOptions } from './schedule.js';
