// Differentiable operations that weavers and models are made of.
export { attention } from './attention.js';
export { gatherRows } from './gather-rows.js';
export { layerNorm } from './layer-norm.js';
export { linear, type LinearWeights } from './linear.js';
export { rmsNorm } from './rms-norm.js';
export { swiglu } from './swiglu.js';
export { tokenLoss, tokenLossWithGradients, type TokenLossOptions, type TokenLossResult } from './token-loss.js';
