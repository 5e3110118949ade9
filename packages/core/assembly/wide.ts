// Kernels for engines that join vectors. Those of its own are exported for the reason that index.ts has for its last two.
export * from './index';
export { fourRowsBfloat16, fourRowsFloat32 } from './multiply';
export { mixWide, scoreWide } from './attention-products';
export { activate } from './elementwise';
