// Connections that drop, stall, lie or change bytes: what came is kept, what is wrong is refused.
import { readdir, rm, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault } from './hub-server.test-helper.js';
import { resolveModel } from './index.js';
import {
  answer,
  expectWeights,
  failure,
  options,
  repository,
  snapshot,
  start,
  weights,
} from './model-on-hub.test-helper.js';

describe('a connection', () => {
  /** A fault for the first `times` downloads of the weights. */
  function onWeights(times: number, fault: Fault): Fault {
    let left = times;
    return (request, response) => {
      const isStore = request.method === 'GET' && request.url?.startsWith('/model.safetensors') === true;
      return isStore && left-- > 0 && fault(request, response);
    };
  }

  const dropAfter = (bytes: number) => (start: number, response: ServerResponse) => {
    const range = { 'content-range': `bytes ${start}-${weights.length - 1}/${weights.length}` };
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': weights.length - start,
      ...(start > 0 ? range : {}),
    });
    response.write(weights.subarray(start, start + bytes), () => setTimeout(() => response.destroy(), 20));
    return true;
  };
  const startOf = (range: string | undefined) => Number(/\d+/.exec(range ?? '')?.[0] ?? 0);

  it('that drops is taken up where it broke off', async () => {
    const server = await start();
    const drop = dropAfter(100_000);
    server.faults.push(onWeights(2, (request, response) => drop(startOf(request.headers.range), response)));
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
    const ranges = server.requests.filter((line) => line.startsWith('GET /model')).map((line) => line.split(' ')[2]);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => startOf(range) > 0)).toBe(true);
  });

  it('that always drops ends in an error, and what came is kept for the next time', async () => {
    const server = await start();
    const drop = dropAfter(100_000);
    let isFirst = true;
    const fault = onWeights(3, (request, response) => {
      const done = isFirst ? drop(startOf(request.headers.range), response) : Boolean(response.destroy());
      isFirst = false;
      return done;
    });
    server.faults.push(fault);
    expect(await failure(resolveModel('org/name', options({ tries: 3 })))).toMatchObject({ code: 'hub-network' });
    const kept = (await readdir(join(repository(), 'blobs'))).find((name) => name.endsWith('.incomplete'));
    expect((await stat(join(repository(), 'blobs', kept!))).size).toBeGreaterThan(0);
    await expect(stat(join(repository(), 'refs'))).rejects.toThrow();
    await resolveModel('org/name', options());
    expect(server.requests.at(-1)).toMatch(/bytes=\d+-/);
    await expectWeights(snapshot());
  });

  it('that falls silent in the middle is given up in time and resumed', async () => {
    const server = await start();
    server.faults.push(
      onWeights(1, (_, response) => {
        response.writeHead(200, { 'content-length': weights.length });
        response.write(weights.subarray(0, 50_000));
        return true;
      }),
    );
    await resolveModel('org/name', options({ timeoutMilliseconds: 200 }));
    await expectWeights(snapshot());
  });

  it.each([500, 429])('with a passing status %d is tried again', async (status) => {
    const server = await start();
    server.faults.push(onWeights(2, (_, response) => answer(response, status)));
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it('waits as long as the server asks for, but not for hours', async () => {
    const server = await start();
    server.faults.push(onWeights(1, (_, response) => answer(response, 429, { 'retry-after': '1' })));
    const started = performance.now();
    await resolveModel('org/name', options());
    expect(performance.now() - started).toBeGreaterThan(900);
    await rm(repository(), { recursive: true });
    server.faults.push(onWeights(1, (_, response) => answer(response, 503, { 'retry-after': '3600' })));
    const error = await failure(resolveModel('org/name', options()));
    expect(error).toMatchObject({ code: 'hub-server', message: expect.stringMatching(/again in 3600 s/) });
  });

  it.each(['bytes 299000-299999/300000', 'nonsense', undefined])(
    'that sends another part, %s, starts anew',
    async (range) => {
      const server = await start();
      const drop = dropAfter(100_000);
      server.faults.push(
        onWeights(1, (_, response) => drop(0, response)),
        onWeights(1, (_, response) => {
          response.writeHead(206, range === undefined ? {} : { 'content-range': range }).end(weights.subarray(299_000));
          return true;
        }),
      );
      await resolveModel('org/name', options());
      await expectWeights(snapshot());
    },
  );

  it.each([
    ['less', 200_000],
    ['more', 400_000],
  ])('that promises %s than the file has is tried again', async (_, length) => {
    const server = await start();
    server.faults.push(
      onWeights(1, (__, response) => {
        response.writeHead(200, { 'content-length': length });
        response.write(weights.subarray(0, Math.min(length, weights.length)), () => response.destroy());
        return true;
      }),
    );
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it('to the listing is tried again as well', async () => {
    const server = await start();
    let left = 2;
    server.faults.push(
      (request, response) => left-- > 0 && request.url?.startsWith('/api') === true && answer(response, 503),
    );
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it('of a server without ranges starts anew', async () => {
    const server = await start();
    const drop = dropAfter(100_000);
    server.faults.push(
      onWeights(1, (_, response) => drop(0, response)),
      onWeights(1, (_, response) => {
        response.end(weights);
        return true;
      }),
    );
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it.each([
    ['too little', weights.subarray(0, 200_000), /got: +200000 bytes\n +expected: 300000 bytes/],
    ['too much', Buffer.concat([weights, weights]), /expected: 300000 bytes/],
  ])('that delivers %s is an error', async (_, bytes, message) => {
    const server = await start();
    server.faults.push(
      onWeights(9, (__, response) => {
        response.end(bytes);
        return true;
      }),
    );
    const error = await failure(resolveModel('org/name', options({ tries: 2 })));
    expect(error).toMatchObject({ code: 'hub-length', message: expect.stringMatching(message) });
    expect(error.message).not.toContain('secret');
  });

  it('that changes bytes is found out, and the damaged file is gone', async () => {
    const server = await start();
    const damaged = Buffer.from(weights);
    damaged[7]! ^= 1;
    server.faults.push(
      onWeights(1, (_, response) => {
        response.end(damaged);
        return true;
      }),
    );
    expect(await failure(resolveModel('org/name', options()))).toMatchObject({ code: 'hub-checksum' });
    expect((await readdir(join(repository(), 'blobs'))).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it('goes through the given fetch', async () => {
    const server = await start();
    const urls: string[] = [];
    const counting: typeof fetch = (input, init) => {
      if (typeof input === 'string') urls.push(input);
      return fetch(input, init);
    };
    await resolveModel('org/name', options({ fetch: counting }));
    expect(urls[0]).toBe(`${server.endpoint}/api/models/org/name/revision/main?blobs=true`);
    expect(urls).toHaveLength(11);
  });
});
