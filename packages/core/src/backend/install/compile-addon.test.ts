// The compiler's command line.
import { describe, expect, it } from 'vitest';
import { compilerArguments } from './compile-addon.js';

describe('compilerArguments', () => {
  it('links against the libraries beside the addon', () => {
    const linux = compilerArguments({ sources: ['a.cc', 'b.cc'], platform: 'linux' });
    expect(linux).toEqual(
      expect.arrayContaining([
        '-shared',
        '-std=c++17',
        '-DNAPI_VERSION=8',
        '-include',
        'binding/memgen_signal_guard.h',
        'binding/b.cc',
      ]),
    );
    expect(linux).toContain('deps/lib/libtensorflow_cc.so.2');
    expect(linux).toContain('-Wl,-rpath,$ORIGIN/../../deps/lib');
    const mac = compilerArguments({ sources: ['a.cc'], platform: 'darwin' });
    expect(mac).toEqual(expect.arrayContaining(['-bundle', 'dynamic_lookup', 'deps/lib/libtensorflow_cc.2.dylib']));
    expect(mac).toContain('-Wl,-rpath,@loader_path/../../deps/lib');
  });
});
