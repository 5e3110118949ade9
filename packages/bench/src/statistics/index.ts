// Intervals, tests and estimators.
export { bootstrapMean, type MeanEstimate } from './bootstrap-mean.js';
export { mcNemarExact } from './mcnemar.js';
export { passAtK } from './pass-at-k.js';
export { wilsonInterval, type Interval } from './wilson-interval.js';
