// Public surface of @memgen/weaver/test.
export type { ConformanceCheck } from '@memgen/core/test';
export type { WeaverConformanceOptions } from './conformance-options.js';
export { weaverConformance } from './weaver-conformance.js';
