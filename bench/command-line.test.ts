// What can be asked for, and the answers to what cannot.
import { describe, expect, it } from 'vitest';
import { parseCommand, usage } from './command-line.js';
import { suites } from './suites.js';

const parse = (...words: string[]) => parseCommand(words, suites);

describe('parseCommand', () => {
  it('measures all rows of the tiny model on two backends by default', () => {
    const command = parse('runtime')!;
    expect(command).toMatchObject({ quick: false, model: 'tiny', backends: ['tensorflow', 'wasm'] });
    expect([...command.only]).toEqual(command.suite.groups);
  });

  it('takes options in any order', () => {
    const command = parse('--quick', '--only', 'load,decode', 'runtime', '--backends', 'cpu', '--json', 'rows.json')!;
    expect(command).toMatchObject({
      quick: true,
      backends: ['cpu'],
      only: new Set(['load', 'decode']),
      json: 'rows.json',
    });
  });

  it.each([
    [[], 'runtime, weaving'],
    [['runtim'], 'runtime, weaving'],
    [['runtime', 'weaving'], 'runtime, weaving'],
    [['runtime', '--only', 'loads'], 'load, prefill'],
    [['runtime', '--backends', 'wasm,cuda'], 'tensorflow'],
    [['runtime', '--fast'], '--help'],
  ])('refuses %j and says what there is', (words, expected) => {
    expect(() => parse(...words)).toThrow(expect.objectContaining({ message: expect.stringContaining(expected) }));
  });

  it('has help', () => {
    expect(parse('--help')).toBeUndefined();
    for (const { name } of suites) expect(usage(suites)).toContain(`${name.padEnd(9)} `);
    expect(usage(suites)).toContain('rows: load, prefill, decode, cache, training');
  });
});
