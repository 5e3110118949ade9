import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { watchInterrupts } from './interrupt.js';

/** A process that works until it is interrupted, then saves for as long as it is told to. */
function startWorker(savingMilliseconds: number): ReturnType<typeof spawn> {
  const module = pathToFileURL(join(import.meta.dirname, 'interrupt.ts')).href;
  const code = `
    const { watchInterrupts } = await import(${JSON.stringify(module)});
    const { signal, dispose } = watchInterrupts({ say: (text) => console.log(text) });
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    console.log('working');
    while (!signal.aborted) await wait(10);
    await wait(${savingMilliseconds});
    console.log('saved');
    dispose();`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function heard(worker: ReturnType<typeof spawn>, text: string, seen: string[]): Promise<void> {
  while (!seen.join('').includes(text)) await once(worker.stdout!, 'data');
}

describe('watchInterrupts', () => {
  it('lets the work end by itself after one Ctrl-C', async () => {
    const worker = startWorker(50);
    const seen: string[] = [];
    worker.stdout!.on('data', (data: Buffer) => seen.push(data.toString()));
    await heard(worker, 'working', seen);
    worker.kill('SIGINT');
    expect(await once(worker, 'close')).toEqual([0, null]);
    expect(seen.join('')).toMatch(/Stopping: .*\nsaved\n/);
  });

  it('ends at once with 130 after two', async () => {
    const worker = startWorker(60_000);
    const seen: string[] = [];
    worker.stdout!.on('data', (data: Buffer) => seen.push(data.toString()));
    await heard(worker, 'working', seen);
    worker.kill('SIGINT');
    await heard(worker, 'Stopping', seen);
    worker.kill('SIGINT');
    expect(await once(worker, 'close')).toEqual([130, null]);
    expect(seen.join('')).not.toContain('\nsaved\n');
  });

  it('leaves no listener behind and says once why it stops', () => {
    const before = process.listenerCount('SIGTERM');
    const said: string[] = [];
    const codes: number[] = [];
    const interrupts = watchInterrupts({ say: (text) => said.push(text), exit: (code) => codes.push(code) });
    expect(interrupts.signal.aborted).toBe(false);
    process.emit('SIGTERM', 'SIGTERM');
    expect(interrupts.signal).toMatchObject({ aborted: true, reason: 'SIGTERM' });
    process.emit('SIGTERM', 'SIGTERM');
    expect(codes).toEqual([143]);
    expect(said).toHaveLength(1);
    interrupts.dispose();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
