// The look of a report: calm, readable, in light and dark, on screen and on paper.
import { Html } from './html.js';

const light = `
  --paper: #fbfaf7; --card: #ffffff; --ink: #22262b; --muted: #667078; --line: #e4e2db;
  --accent: #23678a; --good: #2a7448; --bad: #a3402f;
  --series-1: #a9afb5; --series-2: #dba64a; --series-3: #2b7198; --series-4: #7d9b52; --series-5: #8c6bab; --series-6: #b5654f;`;

const dark = `
  --paper: #15171a; --card: #1b1e22; --ink: #e4e3df; --muted: #99a1a9; --line: #2d3237;
  --accent: #7cbbd9; --good: #76c397; --bad: #e59180;
  --series-1: #7b838a; --series-2: #d0a04e; --series-3: #5aa9d0; --series-4: #93b466; --series-5: #a98bc6; --series-6: #cf836d;`;

/** The colours as CSS variables, for light and dark. */
export const palette = `:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }`;

export const style = new Html(`
${palette}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 4rem 1.5rem 5rem; max-width: 56rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums; text-size-adjust: 100%;
}
h1, h2 { font-family: Charter, "Bitstream Charter", "Sitka Text", Cambria, "Liberation Serif", serif; font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.3rem; margin: 0 0 1rem; letter-spacing: -.01em; }
h2 { font-size: 1.45rem; margin: 3.5rem 0 .4rem; }
h3 { font-size: 1rem; font-weight: 600; margin: 0 0 .6rem; }
p { margin: 0 0 1rem; max-width: 44rem; }
.summary { font-size: 1.2rem; line-height: 1.5; }
.muted, figcaption, caption { color: var(--muted); font-size: .9rem; }
.written { margin: 0 0 .6rem; color: var(--muted); font-size: .85rem; }
.highlights { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; margin: 2rem 0 0; padding: 0; list-style: none; }
.highlights li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; }
.highlights strong { display: block; font-size: 1.7rem; white-space: nowrap; line-height: 1.15; font-weight: 600; letter-spacing: -.02em; }
.highlights span { display: block; }
figure { margin: 1.5rem 0; }
figure svg { display: block; max-width: 100%; height: auto; overflow: visible; }
figcaption { margin-top: .6rem; max-width: 44rem; }
.scroll { overflow-x: auto; }
.scroll + p { margin-top: .9rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; padding: 0 0 .8rem; max-width: min(44rem, calc(100vw - 3rem)); }
th, td { padding: .5rem .7rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-weight: 500; font-size: .85rem; vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 400; }
tr.total > * { font-weight: 600; border-top: 1px solid var(--muted); }
td small { display: block; color: var(--muted); font-size: .8rem; font-weight: 400; }
.best { color: var(--accent); font-weight: 600; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1.5rem 2.5rem; margin-top: 1.2rem; }
dl { margin: 0; }
dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .35rem 0; border-bottom: 1px solid var(--line); font-size: .92rem; }
dt { color: var(--muted); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.example { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; margin: 1rem 0; break-inside: avoid; }
.example dl div { display: grid; grid-template-columns: 9rem 1fr; justify-content: normal; padding: .5rem 0; }
.example dl div:last-child { border-bottom: 0; padding-bottom: 0; }
.example dd { text-align: left; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.example .text { font-size: .95rem; }
.verdict { font-size: .85rem; font-weight: 600; white-space: nowrap; display: block; }
.right .verdict { color: var(--good); }
.wrong .verdict { color: var(--bad); }
details { margin: 1rem 0; }
.more { margin-top: 3rem; }
.swatch { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .5em; }
summary { cursor: pointer; color: var(--accent); font-size: .92rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; overflow-x: auto; font: .85rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .85rem; }
@media (max-width: 36rem) {
  body { padding: 2rem 1rem 3rem; }
  h1 { font-size: 1.8rem; }
  .example dl div { grid-template-columns: 1fr; gap: .1rem; }
  figure { overflow-x: auto; }
  figure svg { max-width: none; width: 36rem; }
  th:first-child { white-space: normal; min-width: 6.5rem; }
}
@media print {
  :root { color-scheme: light; ${light} --paper: #ffffff; }
  :root { font-size: 9.5pt; }
  body { padding: 0; max-width: none; }
  .scroll { overflow: visible; }
  table { font-size: .85rem; }
  th, td { padding: .35rem .5rem; }
  th:first-child { white-space: normal; }
  h2 { margin-top: 2rem; break-after: avoid; }
  figure, table, .highlights li { break-inside: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`);
