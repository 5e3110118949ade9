// HTML that is safe by construction, of @memgen/common.
export { escapeHtml, html, Html, visibleText } from '@memgen/common';
