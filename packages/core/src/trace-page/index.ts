// A traced generation as a page to look at.
export type { PlainAnswer, TracedAnswer, TracePageData } from './page-data.js';
export { renderTracePage } from './render-trace-page.js';
