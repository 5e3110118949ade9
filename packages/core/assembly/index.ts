// Kernels of the step decoder. All data are float32 rows in memory, one after the other; arguments are addresses in bytes.
export { attend, storeColumn } from './attention';
export { gatedActivation, rmsNorm, rotate } from './elementwise';
export { exponentials } from './exponential';
export { multiplyBfloat16, multiplyFloat32 } from './multiply';
export { attendTogether, dismiss, gateTogether, multiplyTogether, normTogether, work } from './threads';
// Exported so that they stay functions of their own: inlined into the loops around them, V8 does not keep their sums in
// registers, and they take more than twice the time.
export { mixChannels, score } from './attention-products';
