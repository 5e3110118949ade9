// Tests of scoring.
import { expect, it } from 'vitest';
import { boxedAnswer, exactMatch } from './scoring.js';

it('compares the first box, trimmed, and nothing else', () => {
  expect(boxedAnswer('Cost: bowl 5. \\boxed{ 5 } \\boxed{6}')).toBe('5');
  expect(boxedAnswer('5')).toBeUndefined();
  expect(exactMatch('\\boxed{ bowl}', 'bowl')).toBe(1);
  expect(exactMatch('\\boxed{15}', '5')).toBe(0);
  expect(exactMatch('\\boxed{15', '15')).toBe(0);
});
