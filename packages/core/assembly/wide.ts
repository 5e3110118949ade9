// Kernels for engines that join vectors. Those of its own are exported for the reason that index.ts has for its last two.
export * from './index';
export * from './wide-products';
export { mixWide, scoreWide } from './attention-products';
export { activate } from './elementwise';
