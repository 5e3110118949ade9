// Data sets as typed, validated rows.
export { gsm8kRow, loadGsm8k, readGsm8kFile, type Gsm8k, type LoadGsm8kOptions } from './gsm8k.js';
export { loadKodCode, readKodCodeFile, type KodCodeRow, type LoadKodCodeOptions } from './kodcode.js';
export { parseRow } from './parse-row.js';
export { readJsonLines, type JsonLine, type JsonLinesLimits } from './read-json-lines.js';
export { readJsonRows } from './read-json-rows.js';
export { splitByShares, splitRows, type Shares, type Split, type ThreeWaySplit } from './split.js';
export { loadTriviaQa, readTriviaQaFile, type LoadTriviaQaOptions, type TriviaQaRow } from './triviaqa.js';
