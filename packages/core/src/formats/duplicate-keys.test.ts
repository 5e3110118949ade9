import { describe, expect, it } from 'vitest';
import { findDuplicateKey } from './duplicate-keys.js';

describe('findDuplicateKey', () => {
  it('finds a key given twice in one object, also in disguise', () => {
    expect(findDuplicateKey('{"a":1,"b":{"c":1,"c":2}}')).toBe('c');
    expect(findDuplicateKey('{"a":1, "\\u0061" :2}')).toBe('a');
    expect(findDuplicateKey('[{"x":"}"},{"y":1,"z":["y"],"y":2}]')).toBe('y');
  });

  it('is content with equal keys of different objects and with keys in values', () => {
    expect(findDuplicateKey('{"a":{"a":{"a":"a"}},"b":[{"a":1},{"a":"\\"a\\":"}]}')).toBeUndefined();
  });
});
