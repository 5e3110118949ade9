// Templates that grow or run without end are stopped; long conversations are not.
import { describe, expect, it } from 'vitest';
import { ChatTemplate } from './chat-template.js';

const render = (source: string) => ChatTemplate.fromSource(source).render([{ role: 'user', content: 'hi' }]);

describe('a template', () => {
  it.each([
    [
      "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
      /characters or items/,
    ],
    [
      '{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}',
      /characters or items/,
    ],
    ['{% for m in range(10 ** 9) %}{% endfor %}', /./],
    ['{% for i in range(1000000000) %}x{% endfor %}', /range\(\) of/],
    ['{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(0) }}', /nests deeper/],
    ["{{ 'a\nb' | indent(400000000) }}", /indent of 400000000/],
    ["{{ 'a\nb' | indent(width=400000000) }}", /indent of 400000000/],
    ['{{ messages | tojson(indent=100000000) }}', /indent of 100000000/],
  ])('%s is stopped', (source, reason) => {
    const stopped = expect(() => render(source));
    stopped.toThrow(expect.objectContaining({ code: 'chat-template', message: expect.stringMatching(reason) }));
  });

  it('that leaves its loops early is not taken for a deep one', () => {
    const source =
      '{% for i in range(5000) %}{% for j in range(9) %}{% if j > 0 %}{% break %}{% endif %}x{% endfor %}{% endfor %}';
    expect(render(source)).toBe('x'.repeat(5000));
  });

  it('of a long conversation is rendered', () => {
    const source = '{% for m in messages %}{{ m.role | upper + ": " + (m.content | trim) | indent(2) }}\n{% endfor %}';
    const messages = Array.from({ length: 2000 }, () => ({ role: 'user' as const, content: ' word'.repeat(200) }));
    expect(ChatTemplate.fromSource(source).render(messages).length).toBeGreaterThan(2000 * 1000);
  });
});
