// The look of a trace page: calm, readable, in light and dark, on screens of any width and on paper.
import { Html } from '@memgen/common';

const light = `
  --paper: #fbfaf7; --card: #ffffff; --ink: #22262b; --muted: #5f6870; --line: #e4e2db;
  --weaver: #96600c; --weaver-soft: #f7e7c6; --reasoner: #2b7198; --trigger: #7b5aa6; --own: #fdf0d3;`;

const dark = `
  --paper: #15171a; --card: #1c1f23; --ink: #e6e5e1; --muted: #9ea6ae; --line: #30353b;
  --weaver: #e0ab52; --weaver-soft: #463511; --reasoner: #5aa9d0; --trigger: #b196d8; --own: #3a2f17;`;

export const style = new Html(`
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; }
body {
  margin: 0 auto; padding: 3.5rem 1.5rem 5rem; max-width: 64rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums; text-size-adjust: 100%;
}
h1, h2 { font-family: Charter, "Bitstream Charter", "Sitka Text", Cambria, "Liberation Serif", serif; font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.2rem; margin: 0 0 .6rem; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; margin: 3.2rem 0 .8rem; }
h3 { font-size: 1rem; font-weight: 600; margin: 0; }
h3 small, th small { color: var(--muted); font-weight: 400; font-size: .85em; margin-left: .35em; }
p { margin: 0 0 1rem; }
.kicker { margin: 0 0 .5rem; color: var(--muted); font-size: .85rem; }
.summary { font-size: 1.15rem; line-height: 1.5; max-width: 44rem; }
.muted { color: var(--muted); font-size: .9rem; max-width: 48rem; }
.remark { overflow-wrap: anywhere; border-left: 3px solid var(--weaver); padding: .2rem 0 .2rem .9rem; max-width: 44rem; }
figure { margin: 1.8rem 0 0; }
figcaption, .label { color: var(--muted); font-size: .85rem; }
blockquote { margin: .35rem 0 0; padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--line); max-width: 48rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.answers > * { min-width: 0; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1.2rem; }
article, .points > li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.2rem 1.4rem; }
article .text { margin: .7rem 0 0; line-height: 1.85; }
.own { font-weight: inherit; background: var(--own); border-radius: 3px; padding: .1em 0; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.mark {
  display: inline-flex; align-items: center; justify-content: center; min-width: 1.65em; height: 1.65em; padding: 0 .35em; margin: 0 .3em 0 .2em;
  border-radius: 99px; border: 1.5px solid var(--weaver); font-size: .78rem; font-weight: 600; line-height: 1; text-decoration: none; vertical-align: .08em;
}
.mark.woven { background: var(--weaver); color: var(--paper); }
.mark.refused { border-style: dashed; border-color: var(--muted); color: var(--muted); }
a.mark:hover { outline: 2px solid var(--weaver-soft); }
:focus-visible { outline: 3px solid var(--reasoner); outline-offset: 2px; border-radius: 6px; }
a.mark:focus-visible, a.mark:target { outline: 3px solid var(--reasoner); outline-offset: 2px; border-radius: 99px; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; margin: .9rem 0 0; padding: 0; list-style: none; color: var(--muted); font-size: .9rem; }
.legend .own { color: var(--ink); padding: .1em .35em; }
.points { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; margin: 1.2rem 0 0; padding: 0; list-style: none; }
.points > li:target { border-color: var(--reasoner); box-shadow: 0 0 0 2px var(--reasoner); }
.points header { display: flex; align-items: baseline; gap: .5rem; }
.points header .mark, .legend .mark { margin: 0; }
.points .decision { margin-left: auto; color: var(--muted); font-size: .92rem; }
.before, .probability, .times { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: .2rem 1rem; margin: .5rem 0 0; font-size: .95rem; align-items: baseline; }
.before bdi { overflow-wrap: anywhere; }
.probability { grid-template-columns: 8.5rem minmax(4rem, 16rem) auto; align-items: center; }
.times { color: var(--muted); font-size: .9rem; }
.bar { display: block; position: relative; height: .55rem; border-radius: 99px; background: var(--line); overflow: hidden; }
.bar .fill { display: block; height: 100%; }
.bar .tick { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: var(--ink); }
.bar.stacked { display: flex; height: .8rem; background: none; border-radius: 4px; }
.fill.reasoner, .dot.reasoner { background: var(--reasoner); }
.fill.weaver, .dot.weaver { background: var(--weaver); }
.fill.trigger, .dot.trigger { background: var(--trigger); }
.dot { display: inline-block; width: .65em; height: .65em; border-radius: 99px; margin-right: .45em; }
details { margin: .8rem 0 0; }
summary { cursor: pointer; color: var(--reasoner); font-size: .92rem; padding: .15rem 0; width: fit-content; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
details table { margin-top: .4rem; table-layout: fixed; }
th, td { padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: middle; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--muted); font-size: .85rem; }
details tr:last-child > * { border-bottom: 0; }
details th:first-child { width: 3.5rem; }
details th:nth-child(2) { width: 12rem; }
.norm { display: grid; grid-template-columns: 1fr 3.2rem; gap: .7rem; align-items: center; }
.tokens { display: flex; flex-wrap: wrap; gap: .3rem; margin: 0; padding: 0; list-style: none; }
.tokens li {
  border: 1px solid var(--line); border-radius: 6px; padding: .02rem .5rem; white-space: nowrap; max-width: 100%; overflow: hidden; text-overflow: ellipsis;
  background: color-mix(in srgb, var(--weaver-soft) calc(var(--near) * 100%), transparent);
}
.tokens bdi { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .92em; }
.tokens small { color: var(--muted); font-size: .8em; margin-left: .2em; }
.scroll { overflow-x: auto; }
.time { max-width: 48rem; }
.time th, .time td { white-space: nowrap; }
.time td:not(:first-child), .time th:not(:first-child) { text-align: right; padding: .4rem 0 .4rem 1.2rem; }
.time .lane td { border: 0; padding: .7rem 0 0; }
.time + p, .scroll + p { margin-top: .8rem; }
dl { margin: 0; max-width: 48rem; }
dl div { display: flex; justify-content: space-between; gap: 1.5rem; padding: .4rem 0; border-bottom: 1px solid var(--line); font-size: .92rem; }
dt { color: var(--muted); overflow-wrap: anywhere; min-width: 8rem; }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body { padding: 1.8rem 1rem 3rem; }
  h1 { font-size: 1.7rem; }
  h2 { margin-top: 2.4rem; }
  article, .points > li { padding: 1rem; }
  .points header { flex-wrap: wrap; }
  .before, .times { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .probability { grid-template-columns: auto minmax(3rem, 1fr) auto; }
  details thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  details tr { display: grid; grid-template-columns: 1.6rem minmax(0, 1fr); gap: .35rem 0; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  details tr:last-child { border-bottom: 0; }
  details tr > *, details th:first-child { border: 0; padding: 0; width: auto; }
  details tr > td:last-child { grid-column: 2; }
  .norm { grid-template-columns: minmax(4rem, 11rem) 3.2rem; }
}
@media print {
  :root { color-scheme: light; ${light} --paper: #ffffff; }
  :root { font-size: 9.5pt; }
  body { padding: 0; max-width: none; }
  article, .points > li { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`);
