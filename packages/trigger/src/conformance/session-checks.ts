// Checks of what a session judges: rows, padding, calls one after another, selections, refusals.
import type { TriggerSession } from '@memgen/core';
import { conformanceCheck, requireClose, requireRefusal, requireThat, type ConformanceCheck } from '@memgen/core/test';
import * as tf from '@tensorflow/tfjs';
import type { TriggerConformanceOptions } from './conformance-options.js';
import {
  judgeAlone,
  judgeRows,
  padding,
  randomRow,
  toColumns,
  withSession,
  withTrigger,
  type Row,
} from './trigger-probe.js';

export function sessionChecks(options: TriggerConformanceOptions): ConformanceCheck[] {
  const { vocabularySize, tolerance = 1e-4 } = options;
  const [a, b, c] = [randomRow(7, vocabularySize, 1), randomRow(5, vocabularySize, 2), randomRow(4, vocabularySize, 3)];

  function requireRows(got: readonly (readonly number[])[], expected: readonly number[][], message: string): void {
    got.forEach((logits, row) => {
      requireClose(logits, expected[row]!, tolerance, { message: `${message} (row ${row})` });
    });
  }

  const check = (name: string, body: Parameters<typeof withTrigger>[1]) =>
    conformanceCheck(name, () => withTrigger(options, body));

  return [
    check('gives two finite logits for each token', (trigger) => {
      const rows = withSession(trigger, 2, (session) => judgeRows(session, [a.slice(0, 4), c], vocabularySize));
      requireThat(rows.flat().every(Number.isFinite), { message: 'a logit is not finite' });
    }),

    check('judges each row by itself, whatever stands at padding', (trigger) => {
      for (const side of ['left', 'right'] as const) {
        const rows: Row[] = [a, b, c].map((row) => {
          const missing = padding(a.length - row.length);
          return side === 'left' ? [...missing, ...row] : [...row, ...missing];
        });
        const got = withSession(trigger, 3, (session) => judgeRows(session, rows, vocabularySize));
        requireRows(got, judgeAlone(trigger, rows, vocabularySize), `logits change with padding on the ${side}`);
      }
    }),

    check('judges in several calls as it judges at once, each token by what stands before it', (trigger) => {
      // Rows that go on by turns, as in generation when each row has its own points.
      const calls: Row[][] = [
        [a.slice(0, 2), [undefined, b[0]]],
        [[undefined, a[2]], b.slice(1, 3)],
        [[undefined, undefined], b.slice(3)],
        [a.slice(3), padding(4)],
      ];
      const whole = judgeAlone(trigger, [a, b], vocabularySize);
      const got: number[][] = [[], []];
      withSession(trigger, 2, (session) => {
        for (const rows of calls) judgeRows(session, rows, vocabularySize).forEach((x, row) => got[row]!.push(...x));
      });
      requireRows(got, whole, 'logits of several calls differ from those of one');
    }),

    check('goes on with selected rows, in another order and several times', (trigger) => {
      withSession(trigger, 3, (session) => {
        let read = [a.slice(0, 4), b.slice(0, 4), c];
        judgeRows(session, read, vocabularySize);
        for (const rows of [[2, 0, 0, 1], [3, 1], [1]]) {
          session.select(rows);
          const more = rows.map((_, i) => randomRow(2, vocabularySize, 10 * rows.length + i));
          read = rows.map((row, i) => [...read[row]!, ...more[i]!]);
          const expected = judgeAlone(trigger, read, vocabularySize).map((logits) => logits.slice(-4));
          requireRows(judgeRows(session, more, vocabularySize), expected, `after select([${rows.join(', ')}])`);
        }
      });
    }),

    check('judges the same each time, whatever other sessions do', (trigger) => {
      const run = (between: () => void) =>
        withSession(trigger, 1, (session) => {
          const first = judgeRows(session, [a.slice(0, 3)], vocabularySize);
          between();
          return JSON.stringify([first, judgeRows(session, [a.slice(3)], vocabularySize)]);
        });
      const alone = run(() => undefined);
      const disturbed = run(() => withSession(trigger, 2, (session) => judgeRows(session, [b, b], vocabularySize)));
      requireThat(alone === disturbed, {
        message: 'two sessions that read the same do not judge the same to the bit',
        hint: 'without a dropoutSeed nothing may be drawn, and sessions share nothing that changes',
      });
    }),

    check('refuses columns and rows that do not fit', (trigger) => {
      const { ids, mask } = toColumns([b, b], vocabularySize);
      const refuse = (what: string, action: (session: TriggerSession) => void) => {
        withSession(trigger, 2, (session) => {
          requireRefusal(() => {
            tf.tidy(() => {
              action(session);
            });
          }, what);
        });
      };
      refuse('ids and masks of different lengths', (session) => session.judge(ids, mask.map((row) => row.slice(1)))); // prettier-ignore
      refuse('rows of different lengths', (session) =>
        session.judge([ids[0]!, ids[1]!.slice(1)], [mask[0]!, mask[1]!.slice(1)]),
      );
      refuse('more rows than the session has', (session) => session.judge([...ids, ids[0]!], [...mask, mask[0]!]));
      refuse('fewer rows without a tape', (session) => session.judge(ids.slice(1), mask.slice(1)));
      refuse('the selection of a row that is not there', (session) => {
        session.select([0, 2]);
      });
    }),
  ];
}
