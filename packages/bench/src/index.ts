// Public surface of @memgen/bench.
export {
  gsm8kRow,
  loadGsm8k,
  parseRow,
  readGsm8kFile,
  readJsonLines,
  splitRows,
  type Gsm8k,
  type JsonLine,
  type JsonLinesLimits,
  type LoadGsm8kOptions,
  type Split,
} from './data/index.js';
export {
  formatPercent,
  formatPValue,
  renderSummary,
  summarise,
  tabulate,
  type AccuracySummary,
  type Answer,
  type ArmSummary,
  type EvaluationRow,
  type PairedComparison,
  type SummariseOptions,
  type SupervisedRow,
  type TabulateOptions,
} from './evaluation/index.js';
export {
  boxedAnswer,
  normalizeMathAnswer,
  parseRational,
  scoreMath,
  type MathScore,
  type MathScoring,
  type Rational,
} from './scoring/index.js';
export {
  bootstrapMean,
  mcNemarExact,
  passAtK,
  wilsonInterval,
  type Interval,
  type MeanEstimate,
} from './statistics/index.js';
