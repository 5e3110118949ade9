// Damaged and hostile PyTorch checkpoints: wrong views, forbidden calls, cycles, memos, bombs, lying zip directories.
import type { Random } from '@memgen/common';
import * as p from '../formats/torch-pickle/pickle-bytes.test-helper.js';
import {
  bytesOf,
  checkpointBytes,
  checkpointMembers,
  zipBytes,
} from '../formats/torch-pickle/zip-bytes.test-helper.js';
import { hostileNumbers, mutateBytes } from './hostile-bytes.test-helper.js';
import { smallTensors, type SmallTensor } from './small-model.test-helper.js';

const storages = (tensors: readonly SmallTensor[]): Uint8Array[] => tensors.map(({ data }) => bytesOf(data));

function valueOf(tensors: readonly SmallTensor[]): Buffer {
  const parts = tensors.map(
    ({ name, shape, data }, i) => [name, p.tensor({ key: `${i}`, elements: data.length, shape })] as const,
  );
  return p.stateDict(Object.fromEntries(parts));
}

export function intactCheckpoint(tensors: readonly SmallTensor[]): Buffer {
  return checkpointBytes({ value: valueOf(tensors), storages: storages(tensors) });
}

export function hostileCheckpoint(random: Random): Buffer {
  const chance = random.float();
  if (chance < 0.2) return mutateBytes(random, intactCheckpoint(smallTensors), 400);
  if (chance < 0.4) return lyingZip(random);
  const parts = { storages: storages(smallTensors), deflate: random.float() < 0.3 };
  if (chance < 0.55) {
    const pickle = mutateBytes(random, p.pickle(valueOf(smallTensors)), 200);
    return checkpointBytes({ ...parts, pickle });
  }
  if (chance < 0.75) return checkpointBytes({ ...parts, value: hostileValue(random) });
  return checkpointBytes({ ...parts, pickle: randomProgram(random) });
}

/** Something that unpickling in Python would run, or that never ends, or that grows. */
function hostileValue(random: Random): Buffer {
  const number = Number(random.pick(hostileNumbers));
  const canary = p.text('touch canary');
  return random.pick<() => Buffer>([
    () => p.call(p.global('os', 'system'), canary),
    () => p.call(p.global('builtins', random.pick(['eval', 'exec', '__import__', 'getattr', 'bytearray'])), canary),
    () => p.call(p.global('torch.hub', 'load'), canary),
    () => p.dict({ a: p.tensor({ elements: number, shape: [number] }) }),
    () => p.dict({ a: p.tensor({ elements: 8, shape: [8], offset: number }) }),
    () => p.dict({ a: p.tensor({ elements: 8, shape: [number, number, 0] }) }),
    () => p.dict({ a: p.tensor({ elements: 8, shape: [2, 4], strides: [number, number] }) }),
    () => p.dict({ a: p.tensor({ type: 'HalfStorage', key: `${random.int(12)}`, elements: 16, shape: [16] }) }),
    () => p.dict({ a: p.tensor({ key: '../../etc/passwd', elements: 8, shape: [8] }) }),
    // A list, and a dictionary, in itself.
    () => p.raw(']q', 0, '(h', 0, 'e'),
    () => p.raw('}q', 0, p.text('a'), 'h', 0, 's'),
    // Each list holds the one before twice: 2 ** 60 values once it is spread out.
    () => p.dict({ a: p.raw(']q', 0, ...Array.from({ length: 60 }, (_, i) => p.raw('0](h', i, 'h', i, 'eq', i + 1))) }),
    () => p.raw(...Array.from({ length: 5000 }, () => p.raw('}', p.text('a'))), 'N', 's'.repeat(5000)),
    () => p.raw('('.repeat(5000), 't'.repeat(5000)),
    () => p.raw(p.none, 'r', p.u32(2 ** 32 - 1), '0j', p.u32(2 ** 32 - 1)),
    () => p.raw('X', p.u32(2 ** 32 - 1), 'abc'),
    () => p.raw(0x8d, Buffer.alloc(8, 0x7f)),
    () => p.raw(0x8b, p.u32(2 ** 31 - 1)),
    () => p.raw(0x95, Buffer.alloc(8, 0xff), '}'),
  ])();
}

/** Opcodes in any order: nearly all fail at once, some go far. */
function randomProgram(random: Random): Buffer {
  const pieces: readonly (() => Buffer)[] = [
    () => p.int(Number(random.pick(hostileNumbers.slice(0, 12)))),
    () => p.text(random.pick(['a', 'storage', '__proto__', '\u202e', ''])),
    () =>
      p.global(
        random.pick(['torch', 'collections', 'torch._utils', 'os']),
        random.pick(['OrderedDict', 'float32', 'Size']),
      ),
    () => p.raw(random.pick(['}', ']', ')', '(', 'N', 'a', 's', 't', 'u', 'e', 'R', 'b', 'Q', '0', '2', '.'])),
    () => p.raw(random.pick([0x85, 0x86, 0x87, 0x88, 0x94, 0x93, 0x81, 0x92])),
    () => p.raw(random.pick(['q', 'h']), random.int(4)),
  ];
  const length = 5 + random.int(60);
  const program = Array.from({ length }, () => random.pick(pieces)());
  return p.pickle(p.raw('}', ...program));
}

function lyingZip(random: Random): Buffer {
  const value = valueOf(smallTensors);
  const members = checkpointMembers({ value, storages: storages(smallTensors), deflate: random.float() < 0.5 });
  const place = random.int(members.length);
  const member = members[place]!;
  const number = Math.min(Number(random.pick(hostileNumbers)), 2 ** 32 - 1);
  switch (random.int(9)) {
    case 0:
      member.claims = { byteLength: number };
      break;
    case 1:
      member.claims = { storedLength: number };
      break;
    case 2:
      member.claims = { offset: number };
      break;
    case 3:
      member.claims = { method: random.int(100), flags: random.int(2 ** 16) };
      break;
    case 4:
      member.name = random.pick(['../x', '/etc/passwd', 'model/../../x', 'C:\\x', 'model/a\0b', 'other/x', 'model']);
      break;
    case 5:
      members.push(member);
      break;
    case 6:
      // 64 MiB of zeros in 64 KiB.
      members.push({ name: 'model/data/99', data: Buffer.alloc(2 ** 26), deflate: true });
      break;
    case 7:
      return zipBytes(members, { count: Math.min(number, 2 ** 16 - 1) });
    default:
      // The pickle itself says that it is short and goes on.
      members[0] = {
        name: 'model/data.pkl',
        data: Buffer.alloc(2 ** 22, 'N'),
        deflate: true,
        claims: { byteLength: 10 },
      };
  }
  return zipBytes(members, { zip64: random.float() < 0.3 });
}
