// Kernels for engines that join vectors. The last is exported to stay a function of its own, as in ../assembly/wide.ts.
export * from './index';
export { multiplyWideTile } from './tile';
