// Templates that escape what is put into them.
import { describe, expect, it } from 'vitest';
import { html } from './html.js';

describe('html', () => {
  it('escapes values, in content and in attributes, and leaves HTML as it is', () => {
    const inner = html`<b>${'<i> & "q"'}</b>`;
    expect(inner.text).toBe('<b>&lt;i&gt; &amp; &quot;q&quot;</b>');
    expect(html`<a title="${`"'`}">${inner}</a>`.text).toBe(`<a title="&quot;&#39;">${inner.text}</a>`);
  });

  it('joins lists and leaves out what is undefined', () => {
    expect(html`<p>${['a', html`<br />`, undefined, ['<']]}${0}</p>`.text).toBe('<p>a<br />&lt;0</p>');
  });

  it('shows control characters and mends broken text', () => {
    expect(html`${'a\u0000b\u001bc\u007fd\u0085e\ud800f\r\ng\th'}`.text).toBe(
      'a\u2400b\u241bc\u2421d\ufffde\ufffdf\ng\th',
    );
  });
});
