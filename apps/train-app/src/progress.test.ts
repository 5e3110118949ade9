import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { formatDuration } from './format-duration.js';
import { Progress, type ProgressStream } from './progress.js';
import { RateMeter } from './rate-meter.js';
import { TrainingProgress } from './training-progress.js';

/** A stream that keeps what is written, and a clock that is set by hand. */
function setUp(isTTY: boolean): { stream: ProgressStream; text: () => string; time: { now: number } } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  let text = '';
  stream.on('data', (data: Buffer) => (text += data.toString()));
  return { stream, text: () => text, time: { now: 1000 } };
}

describe('TrainingProgress', () => {
  it('writes plain lines every few seconds where there is no terminal', () => {
    const { stream, text, time } = setUp(false);
    const progress = new TrainingProgress({ total: 100, stream, clock: () => time.now });
    for (let step = 1; step <= 12; step++) {
      time.now += 1000;
      progress.advance({ step, loss: 3, tokens: 272 });
    }
    progress.note('checkpoint written');
    progress.stop();
    expect(text().split('\n')).toEqual([
      'training  1/100  1 %  loss 3.000  272 tokens/s  1 min 39 s left',
      'training  6/100  6 %  loss 3.000  272 tokens/s  1 min 34 s left',
      'training  11/100  11 %  loss 3.000  272 tokens/s  1 min 29 s left',
      'checkpoint written',
      'training  12/100  12 %  loss 3.000  272 tokens/s  1 min 28 s left',
      '',
    ]);
  });

  it('shows the reward where there is one, and the memory of the process', () => {
    const { stream, text, time } = setUp(false);
    let memory = 300 * 2 ** 20;
    const options = { total: 2, stream, clock: () => time.now, interval: 0, memory: () => memory };
    const progress = new TrainingProgress(options);
    time.now += 1000;
    progress.advance({ step: 1, loss: 9, reward: 0.25, tokens: 10 });
    memory *= 2;
    time.now += 1000;
    progress.advance({ step: 2, loss: 9, reward: 0.75, tokens: 10 });
    expect(text().split('\n').slice(0, 2)).toEqual([
      'training  1/2  50 %  reward 0.250  10 tokens/s  300 MiB  1 s left',
      'training  2/2  100 %  reward 0.500  10 tokens/s  600 MiB  done',
    ]);
  });

  it('counts time left from this run only when it was resumed, and smooths the loss', () => {
    const { stream, text, time } = setUp(false);
    const progress = new TrainingProgress({ total: 100, done: 50, stream, clock: () => time.now, interval: 0 });
    time.now += 2000;
    progress.advance({ step: 51, loss: 1, tokens: 10 });
    time.now += 2000;
    progress.advance({ step: 52, loss: 2, tokens: 10 });
    expect(text()).toContain('training  52/100  52 %  loss 1.500  5 tokens/s  1 min 36 s left\n');
    time.now += 2000;
    progress.advance({ step: 100, loss: 2, tokens: 10 });
    progress.stop();
    expect(text().split('\n').at(-2)).toMatch(/100\/100 {2}100 %.* done$/);
  });

  it('draws one line over and over on a terminal and gives the cursor back', () => {
    const { stream, text, time } = setUp(true);
    const listeners = process.listenerCount('SIGINT');
    const progress = new TrainingProgress({ total: 4, stream, clock: () => time.now });
    for (let step = 1; step <= 4; step++) {
      time.now += 1000;
      progress.advance({ step, loss: 0.5, tokens: 100 });
    }
    expect(process.listenerCount('SIGINT')).toBe(listeners);
    progress.stop();
    const hideCursor = '\u001b[?25l';
    const showCursor = '\u001b[?25h';
    expect(text()).toContain(hideCursor);
    expect(text().lastIndexOf(showCursor)).toBeGreaterThan(text().lastIndexOf(hideCursor));
    expect(text()).toContain('4/4  loss 0.500  100 tokens/s  done');
    expect(text().match(/\n/g)).toHaveLength(1);
  });
});

describe('Progress', () => {
  it('does not divide by nothing', () => {
    const { stream, text, time } = setUp(false);
    const progress = new Progress({ label: 'answers', total: 0, stream, clock: () => time.now });
    progress.stop();
    expect(text()).toBe('answers  0/0  0 %  done\n');
    const waiting = new Progress({ label: 'rows', total: 5, stream, clock: () => time.now });
    waiting.advance(0);
    waiting.stop();
    expect(text()).toContain('rows  0/5  0 %  ? left\n');
  });
});

describe('RateMeter', () => {
  it('forgets what is older than its window', () => {
    const meter = new RateMeter(0, 10);
    for (let second = 1; second <= 20; second++) meter.add(1, second * 1000);
    expect(meter.perSecond()).toBeCloseTo(1);
    for (let second = 21; second <= 40; second++) meter.add(5, second * 1000);
    expect(meter.perSecond()).toBeCloseTo(5);
  });
});

describe('formatDuration', () => {
  it('speaks in the unit that fits', () => {
    expect([0.4, 59.4, 60, 200, 3599.6, 3900, 90_000].map(formatDuration)).toEqual([
      '0 s',
      '59 s',
      '1 min 00 s',
      '3 min 20 s',
      '1 h 00 min',
      '1 h 05 min',
      '25 h 00 min',
    ]);
    expect(formatDuration(Infinity)).toBe('?');
  });
});
