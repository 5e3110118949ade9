// All suites of measurements.
import { runtimeSuite } from './runtime/suite.js';
import type { Suite } from './frame/suite.js';
import { trainersSuite } from './trainers/suite.js';
import { weavingSuite } from './weaving/suite.js';

export const suites: readonly Suite[] = [runtimeSuite, weavingSuite, trainersSuite];
