// Data sets as typed, validated rows.
export { gsm8kRow, loadGsm8k, readGsm8kFile, type Gsm8k, type LoadGsm8kOptions } from './gsm8k.js';
export { parseRow } from './parse-row.js';
export { readJsonLines, type JsonLine, type JsonLinesLimits } from './read-json-lines.js';
export { splitRows, type Split } from './split.js';
