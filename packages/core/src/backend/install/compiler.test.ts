// What is said without a compiler.
import { describe, expect, it } from 'vitest';
import { compilerOf, requireCompiler } from './compiler.js';

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
