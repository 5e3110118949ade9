// The stop before something that does not fit.
import { totalmem } from 'node:os';
import { MemGenError } from '@memgen/common';
import { expect, it } from 'vitest';
import { availableMemory, checkMemory } from './check-memory.js';

it('lets through what fits, to the byte', () => {
  expect(() => {
    checkMemory(2e9, { available: () => 2e9 });
  }).not.toThrow();
});

it('says what is needed, what is free, and for what', () => {
  const check = (): void => {
    checkMemory(3_440_000_000, { where: 'org/name', available: () => 2_100_000_000 });
  };
  expect(check).toThrow(MemGenError);
  expect(check).toThrow(/^org\/name: needs about 3\.4 GB, 2\.1 GB free\n {2}to do: /);
});

it('asks the machine by itself', () => {
  expect(() => {
    checkMemory(2 ** 60);
  }).toThrow(/free/);
  expect(availableMemory()).toBeGreaterThan(0);
  expect(availableMemory()).toBeLessThanOrEqual(totalmem());
});
