// Checks of what a session weaves: rows, padding, calls one after another, selections, refusals.
import type { WeaverSession } from '@memgen/core';
import { conformanceCheck, requireClose, requireRefusal, requireThat, type ConformanceCheck } from '@memgen/core/test';
import * as tf from '@tensorflow/tfjs';
import type { WeaverConformanceOptions } from './conformance-options.js';
import {
  kinds,
  padding,
  randomRow,
  toColumns,
  weaveAlone,
  weaveRows,
  withSession,
  withWeaver,
  type Row,
} from './weaver-probe.js';

export function sessionChecks(options: WeaverConformanceOptions): ConformanceCheck[] {
  const { reasonerHidden: hidden, tolerance = 1e-4 } = options;
  const [a, b, c] = [randomRow(7, hidden, 1), randomRow(5, hidden, 2), randomRow(4, hidden, 3)];

  function requireRows(got: readonly Float32Array[], expected: readonly Float32Array[], message: string): void {
    got.forEach((latents, row) => {
      requireClose(latents, expected[row]!, tolerance, { message: `${message} (row ${row})` });
    });
  }

  const check = (name: string, body: Parameters<typeof withWeaver>[1]) =>
    conformanceCheck(name, () => withWeaver(options, body));

  return [
    check('weaves the announced number of finite vectors for each row', (weaver) => {
      for (const kind of kinds) {
        const count = weaver.latentCounts[kind];
        requireThat(Number.isInteger(count) && count >= 1, {
          message: `latentCounts.${kind} must be a whole number from 1`,
          got: String(count),
        });
        withSession(weaver, 2, (session) => {
          const rows = weaveRows(session, kind, [a.slice(0, 4), c], { weaver, hidden });
          requireThat(
            rows.every((row) => row.every(Number.isFinite)),
            { message: 'a latent is not finite' },
          );
        });
      }
    }),

    check('reads each row by itself, whatever stands at padding', (weaver) => {
      for (const kind of kinds) {
        for (const side of ['left', 'right'] as const) {
          const rows: Row[] = [a, b, c].map((row) => {
            const missing = padding(a.length - row.length);
            return side === 'left' ? [...missing, ...row] : [...row, ...missing];
          });
          const got = withSession(weaver, 3, (session) => weaveRows(session, kind, rows, { weaver, hidden }));
          requireRows(got, weaveAlone(weaver, kind, rows, hidden), `latents change with padding on the ${side}`);
        }
      }
    }),

    check('reads in several calls what it reads at once, without a trace of what it wove', (weaver) => {
      // Rows that go on by turns, as in generation when each row has its own points.
      const calls: Row[][] = [
        [a.slice(0, 2), [undefined, b[0]]],
        [[undefined, a[2]], b.slice(1, 3)],
        [[undefined, undefined], b.slice(3)],
        [a.slice(3), padding(4)],
      ];
      withSession(weaver, 2, (session) => {
        calls.forEach((rows, call) => {
          const kind = call === 0 ? 'prompt' : 'inference';
          const read = [0, 1].map((row) => calls.slice(0, call + 1).flatMap((columns) => columns[row]!));
          const got = weaveRows(session, kind, rows, { weaver, hidden });
          requireRows(got, weaveAlone(weaver, kind, read, hidden), `call ${call + 1} differs from reading at once`);
        });
      });
    }),

    check('goes on with selected rows, in another order and several times', (weaver) => {
      withSession(weaver, 3, (session) => {
        weaveRows(session, 'prompt', [a.slice(0, 4), b.slice(0, 4), c], { weaver, hidden });
        let read: Row[] = [a.slice(0, 4), b.slice(0, 4), c];
        for (const rows of [[2, 0, 0, 1], [3, 1], [1]]) {
          session.select(rows);
          const more = rows.map((_, i) => randomRow(2, hidden, 10 * rows.length + i));
          read = rows.map((row, i) => [...read[row]!, ...more[i]!]);
          const got = weaveRows(session, 'inference', more, { weaver, hidden });
          requireRows(got, weaveAlone(weaver, 'inference', read, hidden), `after select([${rows.join(', ')}])`);
        }
      });
    }),

    check('weaves the same each time, whatever other sessions do', (weaver) => {
      const run = (between: () => void) =>
        withSession(weaver, 1, (session) => {
          const first = weaveRows(session, 'prompt', [a.slice(0, 3)], { weaver, hidden });
          between();
          return [...first, ...weaveRows(session, 'inference', [a.slice(3)], { weaver, hidden })];
        });
      const alone = run(() => undefined);
      const disturbed = run(() => withSession(weaver, 2, (s) => weaveRows(s, 'prompt', [b, b], { weaver, hidden })));
      requireThat(JSON.stringify(alone.map((x) => [...x])) === JSON.stringify(disturbed.map((x) => [...x])), {
        message: 'two sessions that read the same do not weave the same to the bit',
        hint: 'without a dropoutSeed nothing may be drawn, and sessions share nothing that changes',
      });
    }),

    check('refuses columns and rows that do not fit', (weaver) => {
      const weave = (session: WeaverSession, rows: readonly Row[], mask?: number[][], size = hidden) => {
        tf.tidy(() => {
          const columns = toColumns(rows, size);
          session.weave('prompt', columns.vectors, mask ?? columns.mask);
        });
      };
      const refuse = (what: string, action: (session: WeaverSession) => void) => {
        withSession(weaver, 2, (session) => {
          requireRefusal(() => {
            action(session);
          }, what);
        });
      };
      const pair = [b, b];
      refuse('vectors of another hidden size', (session) => {
        const short = pair.map((row) => row.map((column) => column.slice(1)));
        weave(session, short, undefined, hidden - 1);
      });
      refuse('a mask that is longer than the columns', (session) => {
        weave(session, pair, pair.map((row) => [...row.map(() => 1), 1])); // prettier-ignore
      });
      refuse('mask rows of different lengths', (session) => {
        weave(session, pair, [b.slice(1).map(() => 1), [...b.map(() => 1), 1]]);
      });
      refuse('more rows than the session has', (session) => {
        weave(session, [b, b, b]);
      });
      refuse('fewer rows without a tape', (session) => {
        weave(session, [b]);
      });
      refuse('the selection of a row that is not there', (session) => {
        session.select([0, 2]);
      });
    }),
  ];
}
