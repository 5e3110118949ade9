// Damages JSON: wrong types, huge numbers, deep nesting, keys given twice, tricks of Unicode and of prototypes.
import type { Random } from '@memgen/common';

/** A place of the tree that is written as this text, valid JSON or not. */
class RawText {
  constructor(readonly text: string) {}
}

const deep = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);

/** What any value may be replaced by; texts as they stand in the file. */
const hostileTexts: readonly string[] = [
  'null',
  'true',
  '0',
  '-1',
  '0.5',
  '1e308',
  '-1e308',
  '1e999',
  '2147483648',
  '4294967296',
  '9007199254740993',
  'NaN',
  'Infinity',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\u202e\u0130\ufb01"',
  '"__proto__"',
  '"constructor"',
  '"../../../../etc/passwd"',
  '"/etc/passwd"',
  '"(a+)+$"',
  '"(.*)*x"',
  '"[a-z"',
  '"{{ [].constructor }}"',
  '[]',
  '{}',
  '[null]',
  '[[[]]]',
  '{"__proto__": {"polluted": true}}',
  '{"type": "Sequence"}',
  '{"type": "Sequence", "pretokenizers": null}',
  '{"Regex": "(x+x+)+y"}',
  deep('[', ']', 100),
  deep('[', ']', 20_000),
  deep('{"a":', '}', 20_000).replace(':}', ':0}'),
  `"${'x'.repeat(50_000)}"`,
  `[${'0,'.repeat(20_000)}0]`,
];

/** Text of a JSON file that is `value` but for one to three changes. */
export function mutateJson(random: Random, value: unknown, own: readonly string[] = []): string {
  let tree: unknown = structuredClone(value);
  for (let changes = 1 + random.int(3); changes > 0; changes--) tree = mutateTree(random, tree, own);
  const text = stringify(tree);
  if (random.float() > 0.06) return text;
  // Rarely the text itself: cut, or with something behind it.
  return random.float() < 0.5
    ? text.slice(0, random.int(text.length))
    : `${text}${random.pick(['}', '\0', '1', '{}'])}`;
}

function mutateTree(random: Random, tree: unknown, own: readonly string[]): unknown {
  const replacement = () => new RawText(random.pick([...hostileTexts, ...own, ...own]));
  // Stops at some level on its way down, so that the upper ones are hit more often than the many leaves.
  if (!isContainer(tree) || random.float() < 0.08) return replacement();
  const keys = Object.keys(tree);
  if (keys.length === 0) return replacement();
  const key = random.pick(keys);
  if (Array.isArray(tree)) {
    const place = Number(key);
    const list: unknown[] = [...(tree as unknown[])];
    const chance = random.float();
    if (chance < 0.1) list.splice(place, 1);
    else if (chance < 0.2) list.splice(place, 0, list[place]);
    else list[place] = mutateTree(random, list[place], own);
    return list;
  }
  const entries = Object.entries(tree);
  const index = keys.indexOf(key);
  const chance = random.float();
  if (chance < 0.1) entries.splice(index, 1);
  else if (chance < 0.16)
    entries[index] = [random.pick(['__proto__', 'toString', '', '\0', 'x'.repeat(5000)]), tree[key]];
  else entries[index] = [key, mutateTree(random, tree[key], own)];
  if (chance > 0.96) return new RawText(stringifyEntries([...entries, [key, null]]));
  return Object.fromEntries(entries);
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof RawText);
}

function stringify(tree: unknown): string {
  if (tree instanceof RawText) return tree.text;
  if (Array.isArray(tree)) return `[${tree.map(stringify).join(',')}]`;
  return isContainer(tree) ? stringifyEntries(Object.entries(tree)) : (JSON.stringify(tree) ?? 'null');
}

function stringifyEntries(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${stringify(value)}`).join(',')}}`;
}
