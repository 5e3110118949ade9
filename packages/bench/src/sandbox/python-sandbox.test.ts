import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PythonSandbox } from './python-sandbox.js';

const timeLimit = 5000;
let sandbox: PythonSandbox;

beforeAll(async () => {
  sandbox = await PythonSandbox.open({ workers: 2, timeLimit, memoryLimit: 256 * 2 ** 20, outputLimit: 1000 });
});
afterAll(() => sandbox.close());

const run = (code: string, tests?: string) => sandbox.run({ blocks: [code], tests });

describe('PythonSandbox', () => {
  it('runs a program and its tests', async () => {
    const verdict = await run(
      'def double(x):\n    print("doubling", x)\n    return 2 * x',
      [
        'import pytest',
        'from solution import double',
        'def test_right(): assert double(2) == 4',
        'def test_wrong(): assert double(2) == 5, "no"',
        '@pytest.mark.parametrize("x, y", [(1, 2), (3, 7)])',
        'def test_many(x, y): assert double(x) == y',
        'class TestIt:',
        '    def test_text(self): assert double("a") == "aa"',
        '@pytest.mark.skip(reason="later")',
        'def test_later(): assert False',
      ].join('\n'),
    );
    expect(verdict).toMatchObject({ outcome: 'failed', output: expect.stringMatching(/^doubling 2\n/) });
    expect(verdict.tests.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'test_right passed',
      'test_wrong failed',
      'test_many[0] passed',
      'test_many[1] failed',
      'TestIt.test_text passed',
      'test_later skipped',
    ]);
    expect(verdict.tests[1]?.error).toEqual({ type: 'AssertionError', message: 'no', line: 4 });
  });

  it('keeps functions only, and gives the first one the name that is asked for, if told so', async () => {
    const blocks = ['import math\nLIMIT = 3\ndef helper(x): return math.floor(x)\n', 'class A: pass'];
    const tests =
      'def test_it():\n    assert wanted(1.5) == 1\n    assert "LIMIT" not in globals() and "A" not in globals()';
    expect(await sandbox.run({ blocks, keep: 'functions', functionName: 'wanted', tests })).toMatchObject({
      outcome: 'passed',
    });
    expect(await sandbox.run({ blocks, functionName: 'wanted', tests })).toMatchObject({ outcome: 'failed' });
    expect(await sandbox.run({ blocks, tests })).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching('NameError'),
    });
  });

  it.each([
    ['a syntax error', 'def f(:', undefined, 'raised', /SyntaxError/],
    ['an exception', '1 / 0', undefined, 'raised', /ZeroDivisionError/],
    ['a missing package', 'import numpy', undefined, 'raised', /No module named 'numpy'/],
    ['an exit', 'import sys; sys.exit(0)', 'def test_a(): pass', 'raised', /SystemExit/],
    ['an exit in a test', 'import sys', 'def test_a(): sys.exit(0)', 'failed', /SystemExit/],
    ['no tests', 'x = 1', 'def check(): pass', 'failed', /starts with test_/],
    ['a generator for a test', 'x = 1', 'def test_a():\n    yield 1', 'failed', /'yield'/],
    ['a coroutine for a test', 'x = 1', 'async def test_a(): pass', 'failed', /async/],
  ])('fails %s', async (_, code, tests, outcome, reason) => {
    const verdict = await run(code, tests);
    expect(verdict.outcome).toBe(outcome);
    expect(verdict.reason).toMatch(reason);
  });

  it('runs what tests of data sets use of the standard library', async () => {
    const code = [
      'import asyncio, tempfile, time',
      'async def slow(x):\n    await asyncio.sleep(0.01)\n    return x',
      'assert asyncio.run(asyncio.wait_for(slow(3), 1)) == 3',
      'with tempfile.TemporaryFile() as file:\n    file.write(b"x" * 100_000)\n    file.seek(0)\n    assert len(file.read()) == 100_000',
      'time.sleep(0.01)',
    ];
    expect(await run(code.join('\n'))).toMatchObject({ outcome: 'passed' });
  });

  it('shows nothing of the host', async () => {
    process.env['MEMGEN_SECRET_OF_THE_HOST'] = 'secret';
    const verdict = await run('import os, sys\nprint(sorted(os.listdir("/")), dict(os.environ), sys.argv)');
    delete process.env['MEMGEN_SECRET_OF_THE_HOST'];
    expect(verdict.output.trim()).toBe("['dev', 'home', 'lib', 'proc', 'run', 'tmp'] {} ['']");
    expect(await run(`open(${JSON.stringify(import.meta.filename)})`)).toMatchObject({
      reason: expect.stringMatching('FileNotFoundError'),
    });
  });

  it.each([
    ['JavaScript', 'import js'],
    ['the runtime', 'import pyodide_js'],
    ['the runtime by another way', 'import sys\nfor name in ["js", "pyodide_js"]: del sys.modules[name]\nimport js'],
    ['the C library', 'import ctypes'],
    ['a process', 'import os\nwhile True: os.fork()'],
    ['a command', 'import subprocess\nsubprocess.run(["ls"])'],
    ['a thread', 'import threading\nthreading.Thread(target=print).start()'],
    ['too much memory', 'x = bytearray(10 ** 9)'],
    ['ever more memory', 'x = []\nwhile True: x.append(bytearray(10 ** 7))'],
    ['endless recursion', 'def f(): f()\nf()'],
    ['a file of all space', 'with open("/tmp/a", "wb") as f:\n    while True: f.write(b"x" * 10 ** 6)'],
    ['a file with a hole', 'with open("/tmp/a", "wb") as f:\n    f.seek(2 * 10 ** 9)\n    f.write(b"x")'],
    ['all files', 'for i in range(10 ** 9): open(f"/tmp/{i}", "w").close()'],
    ['to change the library', 'import sys\nopen(sys.path[2], "wb").write(b"")'],
    ['to remove the library', 'import os, sys\nos.remove(sys.path[2])'],
    ['to replace the library', 'import os, sys\nopen("/tmp/a", "w").close()\nos.rename("/tmp/a", sys.path[2])'],
  ])('gives an exception to a program that wants %s', async (_, code) => {
    expect((await run(code)).outcome).toBe('raised');
  });

  it('stops and replaces what cannot be stopped otherwise, while others go on', async () => {
    const start = performance.now();
    const hostile = [
      'while True: pass',
      'while True: print("x" * 1000)',
      'import socket\nsocket.socket().connect(("127.0.0.1", 80))',
      'import sys\nfor name in ["ctypes", "_ctypes"]: del sys.modules[name]\nimport ctypes\nctypes.CDLL(None).emscripten_run_script(b"1")',
      'import os\nos._exit(0)',
    ];
    const verdicts = await Promise.all([
      ...hostile.map((code) => run(code, 'def test_a(): pass')),
      ...[1, 2, 3].map((x) => run(`x = ${x}`, `def test_x(): assert x == ${x}`)),
    ]);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual([
      'time-limit',
      'time-limit',
      ...['crashed', 'crashed', 'crashed'],
      ...['passed', 'passed', 'passed'],
    ]);
    expect(verdicts[2]?.reason).toMatch(/forbidden: __syscall_socket/);
    expect(performance.now() - start).toBeGreaterThan(timeLimit);
  });

  it('starts every program on an interpreter that no other has touched', async () => {
    const spoil = [
      'import builtins, json, math, os, sys',
      'os.chdir("/")',
      'open("/tmp/left", "w").write("x")',
      'math.pi = 3; sys.setrecursionlimit(50); os.environ["A"] = "b"',
      'json.dumps = lambda *a, **k: "{}"',
      'builtins.len = None; builtins.open = None; builtins.exec = None',
      'sys.modules.clear()',
    ].join('\n');
    const look = [
      'import math, os, sys',
      'print(math.pi > 3.1, os.getcwd(), os.listdir("/tmp"), dict(os.environ), len([1]), sys.getrecursionlimit() > 500)',
    ].join('\n');
    for (let i = 0; i < 4; i++) {
      await Promise.all([run(spoil), run(spoil)]);
      expect((await run(look)).output).toBe('True /tmp [] {} 1 True\n');
    }
  });

  it('keeps the first part of the output', async () => {
    const verdict = await run('for i in range(10_000): print("line", i)');
    expect(verdict).toMatchObject({ outcome: 'passed' });
    expect(verdict.output).toHaveLength(1000);
  });

  it('can be aborted, waiting or running', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const running = [1, 2, 3].map(() => sandbox.run({ blocks: ['while True: pass'] }, { signal }));
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 100);
    for (const outcome of await Promise.allSettled(running)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    }
    await expect(sandbox.run({ blocks: ['1'] }, { signal })).rejects.toThrow('enough');
    expect(await run('x = 1')).toMatchObject({ outcome: 'passed' });
  });

  it('refuses programs once closed, and impossible limits', async () => {
    const short = await PythonSandbox.open();
    const left = short.run({ blocks: ['while True: pass'] });
    const closed = short.close();
    await expect(left).rejects.toMatchObject({ code: 'sandbox-closed' });
    await closed;
    await expect(short.run({ blocks: ['1'] })).rejects.toMatchObject({ code: 'sandbox-closed' });
    await expect(PythonSandbox.open({ workers: 0 })).rejects.toMatchObject({ code: 'sandbox-options' });
  });
});
