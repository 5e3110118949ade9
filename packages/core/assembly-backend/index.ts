// Kernels that work in place on the heap of the tfjs wasm backend. Data are float32 in row-major order unless said
// otherwise; arguments are counts, addresses in bytes, and strides in bytes. Room that is needed meanwhile comes from outside.
export { attend, attendBack, attentionBytes } from './attention';
export { copyRuns, sumRows } from './copy';
export { crossEntropy } from './cross-entropy';
export { multiply, multiplyBytes } from './multiply';
export { normalize, normalizeBack, normalizeWeightBack } from './norm';
export { rotate } from './rotary';
export { gatedActivation, gatedActivationBack } from './swiglu';
