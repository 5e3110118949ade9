// What a report is made of: plain data that can be kept as JSON.

/** Everything {@link renderReport} shows. All texts may come from a model or a file: they are escaped. */
export interface ReportData {
  title: string;
  /** What came out, in one sentence; may be followed by what it means. */
  summary: string;
  /** What was done and why, in a few sentences. */
  story?: string;
  /** When the report was written, ISO 8601. */
  writtenAt: string;
  /** The figures that matter most; three or four. */
  highlights: ReportHighlight[];
  results: ResultsTable[];
  curves: ReportCurve[];
  /** Curves behind a fold. */
  moreCurves?: ReportCurve[];
  histograms?: ReportHistogram[];
  /** What a policy wrote while it was trained. */
  samples?: SamplePair[];
  /** Speed, memory, sizes. */
  facts: FactGroup[];
  examples: ExampleRow[];
  /** The manifest as it stands in manifest.json. */
  manifest: object;
  repeat: {
    /** Lines for a shell. */
    commands: string[];
    /** What else is needed, e.g. the commit and a word on machines. */
    note?: string;
  };
}

export interface ReportHighlight {
  /** e.g. `83 %`. */
  value: string;
  /** e.g. `trained weaver`. */
  label: string;
  /** e.g. `95 % interval 78 to 87`. */
  note?: string;
}

/** Arms against groups of rows. */
export interface ResultsTable {
  title: string;
  /** What is measured, on which rows, and how intervals and p-values were computed. */
  caption: string;
  /** `percent`: values are shares in [0, 1]. `number`: shown as they are, e.g. a loss. */
  unit: 'percent' | 'number';
  /** What the axis of the chart is. @default `right answers` for shares, nothing for numbers */
  valueLabel?: string;
  better: 'higher' | 'lower';
  arms: ReportArm[];
  groups: ResultGroup[];
  /** Below the table. */
  notes?: string[];
}

export interface ReportArm {
  /** Key of {@link ResultGroup.values}. */
  id: string;
  label: string;
}

export interface ResultGroup {
  label: string;
  /** How many were measured; 0 is not shown. */
  rows: number;
  /** A line over several groups, set apart and left out of the chart unless it is the only one. */
  isTotal?: boolean;
  values: Record<string, Estimate>;
  comparisons?: Comparison[];
}

/** A value with its 95 % interval. */
export interface Estimate {
  value: number;
  low?: number;
  high?: number;
}

/** How much better (or worse) one arm does than another on the same rows. */
export interface Comparison {
  arm: string;
  against: string;
  /** Value of `arm` minus value of `against`. */
  difference: Estimate;
  /** Of a paired test. */
  pValue?: number;
}

export interface ReportCurve {
  title: string;
  caption: string;
  /** e.g. `loss per supervised token`. */
  valueLabel: string;
  series: CurveSeries[];
  /** Many noisy points are drawn faintly with their running mean on top. @default false */
  smooth?: boolean;
  /** How many lines share the colours of a page, where curves lack some of them. @default the number of series */
  places?: number;
}

export interface CurveSeries {
  label: string;
  /** Where its colour stands among {@link ReportCurve.places}. @default its place in the curve */
  place?: number;
  /** Ascending steps; `null` where the value was not finite. */
  points: { step: number; value: number | null }[];
}

/** How values are spread, in one part of a run or several. */
export interface ReportHistogram {
  title: string;
  caption: string;
  /** e.g. `reward`. */
  valueLabel: string;
  /** What each bar stands for, in order. */
  bars: string[];
  /** Shares in [0, 1], one for each bar. */
  series: { label: string; shares: number[] }[];
}

export interface FactGroup {
  title: string;
  facts: { label: string; value: string }[];
}

/** One test row and what every arm answered. */
export interface ExampleRow {
  /** e.g. `sum_new 17`. */
  title: string;
  prompt: string;
  solution: string;
  answers: { arm: string; completion: string; correct: boolean }[];
}

/** A prompt with what a policy wrote for it, in the order of the steps. */
export interface SamplePair {
  prompt: string;
  samples: {
    step: number;
    completion: string;
    /** `null` where a reward function failed. */
    reward: number | null;
    woven?: number;
    decisions?: number;
  }[];
}
