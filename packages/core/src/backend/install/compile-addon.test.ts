// The compiler's command line, and what is said without a compiler.
import { describe, expect, it } from 'vitest';
import { compilerArguments, compilerOf, requireCompiler } from './compile-addon.js';

describe('compilerArguments', () => {
  it('links against the libraries beside the addon', () => {
    const linux = compilerArguments({ headersFolder: '/h', sources: ['a.cc', 'b.cc'], platform: 'linux' });
    expect(linux).toEqual(
      expect.arrayContaining([
        '-shared',
        '-std=c++17',
        '-DNAPI_VERSION=8',
        '-I/h',
        '-include',
        'binding/memgen_signal_guard.h',
        'binding/b.cc',
      ]),
    );
    expect(linux).toContain('deps/lib/libtensorflow_cc.so.2');
    expect(linux).toContain('-Wl,-rpath,$ORIGIN/../../deps/lib');
    const mac = compilerArguments({ headersFolder: '/h', sources: ['a.cc'], platform: 'darwin' });
    expect(mac).toEqual(expect.arrayContaining(['-bundle', 'dynamic_lookup', 'deps/lib/libtensorflow_cc.2.dylib']));
    expect(mac).toContain('-Wl,-rpath,@loader_path/../../deps/lib');
  });
});

describe('requireCompiler', () => {
  it('names the compiler that is missing and how to get one', async () => {
    const environment = { ...process.env, CXX: 'no-such-compiler' };
    expect(compilerOf(environment)).toBe('no-such-compiler');
    await expect(requireCompiler(environment, 'linux')).rejects.toMatchObject({
      code: 'backend-compiler',
      got: 'no such program',
      hint: expect.stringContaining('apt-get install g++'),
    });
    await expect(requireCompiler(environment, 'darwin')).rejects.toMatchObject({
      hint: 'run `xcode-select --install`',
    });
  });
});
