// Draws a Vega-Lite specification as inline SVG, without a browser and without a network.
import type { TopLevelSpec } from 'vega-lite';
import { Html, escapeHtml, visibleText } from '../html.js';

/** Width of the plot in pixels, so that with its axis it fills the column of text. */
export const plotWidth = 780;

/** Colours follow the page, light or dark: SVG takes CSS variables in its attributes. */
const ink = 'var(--ink)';
const muted = 'var(--muted)';
const line = 'var(--line)';
const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

/** Colours that a page has; more series than these share them. */
export const colourCount = 6;

/** Colour of the i-th arm or series; the last ones are the loudest. */
export function seriesColours(count: number): string[] {
  const order = count === 1 ? [3] : count === 2 ? [1, 3] : [1, 2, 3, 4, 5, 6];
  return Array.from({ length: count }, (_, i) => `var(--series-${order[i % order.length]!})`);
}

/**
 * Renders a chart. Vega is loaded here, as it is large and only needed when a report is written.
 *
 * @param label - says what is to be seen, for who cannot see it.
 */
export async function chartSvg(specification: TopLevelSpec, label: string): Promise<Html> {
  const [{ View, parse, None }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const silent = {
    level: () => silent,
    error: () => silent,
    warn: () => silent,
    info: () => silent,
    debug: () => silent,
  };
  const { spec } = compile({ background: 'transparent', ...specification, config: chartStyle }, { logger: silent });
  const view = new View(parse(spec), { renderer: 'none', logLevel: None });
  const svg = await view.toSVG();
  view.finalize();
  return new Html(svg.replace(/^<svg /, `<svg role="img" aria-label="${escapeHtml(label)}" `));
}

/**
 * A Vega expression that turns the numbers of an axis or a legend into names. Names are data of hostile origin: they
 * appear in the specification only here, as JSON strings, which are literals of the expression language too.
 */
export function labelExpression(named: readonly { label: string }[]): string {
  return `${JSON.stringify(named.map(({ label }) => visibleText(label)))}[datum.value]`;
}

const chartStyle = {
  aria: false,
  font,
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    gridColor: line,
    labelColor: muted,
    labelFontSize: 12,
    labelPadding: 8,
    titleColor: muted,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 10,
  },
  legend: {
    orient: 'top',
    direction: 'horizontal',
    title: null,
    labelColor: ink,
    labelFontSize: 13,
    labelLimit: 320,
    symbolType: 'circle',
    symbolSize: 90,
    symbolStrokeWidth: 0,
    columnPadding: 22,
    offset: 26,
  },
  text: { color: ink, fontSize: 12 },
} as const;
