// What was asked and answered, and how well.
export { formatPercent, formatPValue, renderSummary } from './render-summary.js';
export {
  summarise,
  type AccuracySummary,
  type ArmSummary,
  type PairedComparison,
  type SummariseOptions,
} from './summarise.js';
export { tabulate, type TabulateOptions } from './tabulate.js';
export type { Answer, EvaluationRow, SupervisedRow } from './types.js';
