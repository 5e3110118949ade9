// A reader that goes away ends the command without words.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closedPipeCode, endWithReader } from './closed-pipe.js';

const main = join(import.meta.dirname, 'main.ts');
const words = ['--import', 'tsx', '--conditions=@memgen/source', main];

describe('endWithReader', () => {
  it('ends on a closed pipe alone', () => {
    const codes: number[] = [];
    const stream = new PassThrough();
    endWithReader(stream, (code) => codes.push(code));
    stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(codes).toEqual([141]);
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    expect(() => stream.emit('error', full)).toThrow(full);
    expect(codes).toEqual([141]);
  });

  it('makes the command end quietly', async () => {
    const child = spawn(process.execPath, [...words, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(errors).toBe('');
    expect(code).toBe(closedPipeCode);
  }, 30_000);
});
