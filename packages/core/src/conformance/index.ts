// What conformance suites of weavers, triggers and other replaceable parts are made of.
export { conformanceCheck, type ConformanceCheck } from './conformance-check.js';
export {
  requireClose,
  requireRefusal,
  requireThat,
  withTemporaryFolder,
  type ConformanceDetails,
} from './requirements.js';
export { moveParameters, requireGradients, type Differentiable } from './gradient-requirement.js';
