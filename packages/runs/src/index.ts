// Public surface of @memgen/runs.
export { readAnswers, type AnswerRecord } from './answers.js';
export { checkpointPath, listCheckpoints, type Checkpoint } from './checkpoints.js';
export type { Clock } from './clock.js';
export { manifestVersion, readManifest, type RunManifest, type RunSession, type RunStatus } from './manifest.js';
export { readMetrics, type MetricsRecord } from './metrics-log.js';
export { readGitState, type GitState } from './provenance/git-state.js';
export { sha256OfFile, sha256OfText } from './provenance/hash-file.js';
export { describeMachine, type MachineFacts } from './provenance/machine.js';
export { readPackageVersions } from './provenance/package-versions.js';
export {
  RunFolder,
  type CreateRunOptions,
  type NewRun,
  type ResumeRunOptions,
  type SessionFacts,
} from './run-folder.js';
export { readSamples, type SampleRecord } from './samples.js';
export { EventFile, type EventFileOptions } from './tensorboard/event-file.js';
export type { Scalars } from './tensorboard/event.js';
export { renderCurve } from './report/charts/curve-chart.js';
export { metricCurves, type MetricCurves, type RunMetrics } from './report/metric-curves.js';
export { renderComparison, type ComparedRun, type RunComparison } from './report/render-comparison.js';
export { policySamples } from './report/policy-samples.js';
export { rewardHistogram } from './report/reward-histogram.js';
export { machineFacts, runReport, type RunReportOptions } from './report/run-report.js';
export { timeFacts } from './report/time-facts.js';
export { renderReport } from './report/render-report.js';
export type {
  Comparison,
  CurveSeries,
  Estimate,
  ExampleRow,
  FactGroup,
  ReportArm,
  ReportCurve,
  ReportData,
  ReportHighlight,
  ReportHistogram,
  ResultGroup,
  ResultsTable,
  SamplePair,
} from './report/report-data.js';
