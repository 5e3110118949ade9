// Chat templates that never end, grow without end, or try to get out.
import type { Random } from '@memgen/common';

const pieces: readonly string[] = [
  '{% for i in range(1000000000) %}x{% endfor %}',
  '{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}',
  "{% for i in range(99999) %}{{ 'abcdefgh' * 100000 }}{% endfor %}",
  "{{ 'a' * 1000000000 }}",
  "{{ 'a' | indent(1000000000) }}",
  "{{ 'a\\nb' | indent(width=400000000) }}",
  '{{ messages | tojson(indent=100000000) }}',
  "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x | upper }}",
  "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x | length }}",
  '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x | length }}',
  "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x.replace('a', 'aa') %}{% endfor %}{{ ns.x }}",
  '{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}',
  '{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(0) }}',
  "{{ ''.constructor.constructor('return process')().exit(9) }}",
  '{{ messages.constructor }}',
  '{{ range.constructor }}{{ range.__proto__ }}',
  '{{ raise_exception(messages) }}',
  '{{ raise_exception }}',
  "{{ messages[0]['content'][::-1] }}",
  '{{ messages[999999999].content }}',
  '{{ messages | map(attribute="role") | list }}',
  "{% generation %}{% for m in messages %}{{ m['content'] }}{% endfor %}{% endgeneration %}",
  '{{ strftime_now("%Y") }}',
  '{% set x = {"a": 1} %}{{ x.a.b.c.d }}',
  `{{ ${'('.repeat(20_000)}1${')'.repeat(20_000)} }}`,
  `{{ ${'['.repeat(20_000)}1${']'.repeat(20_000)} }}`,
  `{{ ${'not '.repeat(20_000)}1 }}`,
  `{{ ${'1 + '.repeat(20_000)}1 }}`,
  `${'{% if true %}'.repeat(5_000)}x${'{% endif %}'.repeat(5_000)}`,
  '{#'.repeat(50_000),
  "{{ '".repeat(20_000),
  '{%-'.repeat(20_000),
  '\u{f0000}\u{f0001}{{ bos_token }}',
];

/** One to three hostile pieces, sometimes with characters lost. */
export function hostileTemplate(random: Random): string {
  let template = random.sample(pieces, 1 + random.int(3)).join('\n');
  if (random.float() < 0.3) {
    const at = random.int(template.length);
    template = template.slice(0, at) + template.slice(at + 1 + random.int(3));
  }
  return template;
}
