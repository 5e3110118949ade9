import { describe, expect, it } from 'vitest';
import { openTorchPickle } from './index.js';
import { limits } from './limits.js';
import * as p from './pickle-bytes.test-helper.js';
import { useScratchFile } from './scratch-folder.test-helper.js';
import { checkpointBytes } from './zip-bytes.test-helper.js';

const write = useScratchFile();
const storage = new Uint8Array(24);

/** Opens a checkpoint with this pickle and one storage of six float32 numbers. */
async function open(pickle: Uint8Array): Promise<void> {
  const file = await openTorchPickle(await write(checkpointBytes({ pickle, storages: [storage] })));
  await file.close();
}

const one = p.tensor({ elements: 6, shape: [6] });
const named = (value: Uint8Array) => p.pickle(p.dict({ a: value }));
const inTensor = (parts: Partial<p.TensorParts>) => named(p.tensor({ elements: 6, shape: [6], ...parts }));
const rebuild = p.global('torch._utils', '_rebuild_tensor_v2');
const parameter = p.global('torch._utils', '_rebuild_parameter');

type Case = [what: string, pickle: Uint8Array, code: string, message: RegExp];

async function expectRefusal(pickle: Uint8Array, code: string, message: RegExp): Promise<void> {
  const failure = await open(pickle).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'MemGenError', code: `torch-pickle-${code}` });
  expect(String(failure)).toMatch(message);
}

describe('a pickle that wants more than data is refused by name', () => {
  const cases: Case[] = [
    [
      'os.system',
      p.pickle(p.call(p.global('os', 'system'), p.text('true'))),
      'global',
      /data\.pkl, byte 2:[^]*"os system"/,
    ],
    [
      'a function by protocol 4',
      p.raw(0x80, 4, p.text('builtins'), p.text('eval'), 0x93, p.tuple(p.text('1')), 'R.'),
      'global',
      /byte 24:[^]*"builtins eval"/,
    ],
    ['a harmless module', named(p.global('numpy', 'float64')), 'global', /"numpy float64"/],
    ['a class of torch', named(p.global('torch.nn', 'Linear')), 'global', /"torch\.nn Linear"/],
    ['a loader in torch', named(p.global('torch.storage', '_load_from_bytes')), 'global', /_load_from_bytes/],
    ['a name with a newline trick', named(p.raw('ctorch\n Size\n')), 'global', /"torch {2}Size"/],
    [
      'a storage class as a function',
      named(p.call(p.global('torch', 'FloatStorage'), p.int(9))),
      'global',
      /no function/,
    ],
    ['an element type as a function', named(p.call(p.global('torch', 'float32'))), 'global', /no function/],
    ['a call of a text', named(p.call(p.text('os'))), 'global', /no function[^]*str/],
    ['a call of a tensor', named(p.call(one)), 'global', /no function[^]*tensor/],
    ['INST', p.pickle(p.raw('(ios\nsystem\n')), 'opcode', /byte 3:[^]*INST \(0x69\)/],
    ['OBJ', p.pickle(p.raw('(', p.global('torch', 'Size'), 'o')), 'opcode', /OBJ \(0x6f\)/],
    ['NEWOBJ', p.pickle(p.raw(p.global('torch', 'Size'), ')', 0x81)), 'opcode', /NEWOBJ \(0x81\)/],
    ['NEWOBJ_EX', p.pickle(p.raw(p.global('torch', 'Size'), ')}', 0x92)), 'opcode', /NEWOBJ_EX/],
    ['EXT1', p.pickle(p.raw(0x82, 1)), 'opcode', /EXT1/],
    ['bytes', p.pickle(p.raw('C\x01a')), 'opcode', /SHORT_BINBYTES/],
    ['a bytearray', p.pickle(p.raw(0x96, p.u32(0), p.u32(0))), 'opcode', /BYTEARRAY8/],
    ['a buffer', p.pickle(p.raw(0x97)), 'opcode', /NEXT_BUFFER/],
    ['a set', p.pickle(p.raw(0x8f)), 'opcode', /EMPTY_SET/],
    ['DUP', p.pickle(p.raw('N2')), 'opcode', /DUP/],
    ['a text persistent id', p.pickle(p.raw('Pabc\n')), 'opcode', /PERSID/],
    ['an opcode that does not exist', p.pickle(p.raw(0xff)), 'opcode', /0xff/],
    ['a state for a tensor', named(p.raw(one, '}b')), 'opcode', /BUILD \(0x62\) of tensor with dict/],
    ['a state for a function', named(p.raw(rebuild, '}b')), 'opcode', /BUILD[^]*_rebuild_tensor_v2/],
    ['a state that is no dictionary', named(p.raw(p.emptyOrderedDict, ')b')), 'opcode', /with tuple/],
  ];
  it.each(cases)('%s', async (_, pickle, code, message) => {
    await expectRefusal(pickle, code, message);
  });
});

describe('a broken pickle is refused', () => {
  const cases: Case[] = [
    ['without a header', p.raw('}.'), 'data', /no pickle/],
    ['of protocol 1', p.raw(0x80, 1, '}.'), 'data', /protocol 1/],
    ['of protocol 6', p.raw(0x80, 6, '}.'), 'data', /protocol 6/],
    ['that is empty', p.raw(), 'data', /ends too early/],
    ['without an end', p.raw(0x80, 2, '}'), 'data', /ends too early/],
    ['that goes on after its end', p.raw(p.pickle(p.raw('}')), 'N'), 'data', /stops before/],
    ['that leaves something on the stack', p.pickle(p.raw('N}')), 'data', /stops before/],
    ['that leaves a mark open', p.pickle(p.raw('(}')), 'data', /stops before/],
    ['that returns nothing', p.pickle(p.raw()), 'data', /stack[^]*empty/],
    ['without a mark', p.pickle(p.raw('Nt')), 'data', /mark is missing/],
    ['that reaches below a mark', p.pickle(p.raw('N(', 0x85)), 'data', /stack[^]*empty/],
    ['that recalls nothing', p.pickle(p.raw('h\x09')), 'data', /memo entry 9/],
    ['that stores nothing', p.pickle(p.raw('q\0')), 'data', /stack[^]*empty/],
    ['with half a pair', p.pickle(p.raw('}(Nu')), 'data', /without a value/],
    ['that sets items of a list', p.pickle(p.raw(']NNs')), 'data', /no dict[^]*list/],
    ['that appends to a tuple', p.pickle(p.raw(')Na')), 'data', /no list[^]*tuple/],
    ['with a text past the end', p.pickle(p.raw('X', p.u32(1000), 'abc')), 'data', /ends too early/],
    ['with a text that is not UTF-8', p.pickle(p.raw('X', p.u32(1), 0xff)), 'data', /UTF-8/],
    ['with a frame past the end', p.pickle(p.raw(0x95, p.u32(99), p.u32(0))), 'data', /frame[^]*99/],
    ['with a frame beyond all numbers', p.pickle(p.raw(0x95, p.u32(0), p.u32(2 ** 31))), 'data', /frame/],
    ['with a nameless global', p.raw(0x80, 4, 'NN', 0x93, '.'), 'data', /global is no text/],
    ['with an endless global', p.pickle(p.raw('c', 'x'.repeat(300), '\nx\n')), 'data', /does not end/],
    ['with arguments that are no tuple', named(p.raw(rebuild, ']R')), 'data', /no tuple[^]*list/],
    ['with a filled OrderedDict', named(p.call(p.global('collections', 'OrderedDict'), p.none)), 'data', /OrderedDict/],
    ['of a tensor without arguments', named(p.call(rebuild)), 'data', /arguments of a tensor/],
    ['of a parameter of a text', named(p.call(parameter, p.text('x'), p.yes, p.none)), 'data', /of a parameter/],
    ['with a storage by itself', named(p.storage({ elements: 6, shape: [] })), 'data', /neither a tensor[^]*storage/],
    ['with a function by itself', named(rebuild), 'data', /neither a tensor[^]*_rebuild_tensor_v2/],
    ['that is one tensor', p.pickle(one), 'data', /no dictionary[^]*tensor[^]*torch\.save/],
    ['that is a list', p.pickle(p.list(one)), 'data', /no dictionary[^]*list/],
    ['with a tuple for a key', p.pickle(p.raw('})Ns')), 'data', /key[^]*tuple/],
    ['with a fraction for a key', p.pickle(p.raw('}', p.float(0.5), 'Ns')), 'data', /key[^]*float 0\.5/],
    ['with a key twice', p.pickle(p.raw('}(', p.text('a'), one, p.text('a'), one, 'u')), 'data', /"a"[^]*twice/],
    [
      'with two ways to one name',
      p.pickle(p.dict({ 'a.b': one, a: p.dict({ b: p.int(1) }) })),
      'data',
      /"a\.b"[^]*occurs twice/,
    ],
    ['with a persistent id of a text', named(p.raw(p.text('x'), 'Q')), 'data', /persistent id/],
    [
      'with a storage of another kind',
      named(p.raw(p.tuple(p.text('module'), ...Array<Buffer>(4).fill(p.none)), 'Q')),
      'data',
      /no storage/,
    ],
  ];
  it.each(cases)('%s', async (_, pickle, code, message) => {
    await expectRefusal(pickle, code, message);
  });

  it.each<[what: string, value: Uint8Array]>([
    ['list', p.raw(']q\0h\0a')],
    ['dictionary', p.raw('}q\0', p.text('x'), 'h\0s')],
    ['tuple', p.raw(']q\0(h\0ta')],
  ])('with a %s that contains itself', async (_, value) => {
    await expectRefusal(named(value), 'data', /contains itself/);
  });
});

describe('a tensor that does not fit its storage is refused', () => {
  const anyStorage = p.storage({ elements: 6, shape: [] });
  const build = (...args: Uint8Array[]) => named(p.call(rebuild, ...args));
  const shape = p.tuple(p.int(6));
  const stride = p.tuple(p.int(1));
  const cases: Case[] = [
    [
      'more elements than bytes',
      inTensor({ elements: 7 }),
      'tensor',
      /24 bytes[^]*28 bytes for 7 elements of type F32/,
    ],
    ['fewer elements than bytes', inTensor({ elements: 5 }), 'tensor', /24 bytes[^]*20/],
    ['absurdly many elements', inTensor({ elements: 2 ** 50 }), 'tensor', /24 bytes/],
    ['another element type', inTensor({ type: 'DoubleStorage' }), 'tensor', /48 bytes/],
    ['an unknown class', inTensor({ type: 'QInt8Storage' }), 'global', /torch QInt8Storage/],
    [
      'a function for a class',
      named(p.raw(p.tuple(p.text('storage'), rebuild, p.text('0'), p.text('cpu'), p.int(6)), 'Q')),
      'global',
      /storage class/,
    ],
    ['a missing storage', inTensor({ key: '1' }), 'data', /"1" is not in the zip file/],
    ['a storage by a path', inTensor({ key: '../data/0' }), 'data', /is not in the zip file/],
    ['the pickle as a storage', inTensor({ key: '../data.pkl' }), 'data', /is not in the zip file/],
    ['an offset past the end', inTensor({ offset: 1 }), 'tensor', /outside[^]*offset 1/],
    ['a shape past the end', inTensor({ shape: [2, 4] }), 'tensor', /outside/],
    [
      'a shape that overflows',
      inTensor({ shape: [2 ** 50, 2 ** 50, 2], strides: [2 ** 52, 3, 1] }),
      'tensor',
      /outside/,
    ],
    ['a stride past the end', inTensor({ shape: [2], strides: [6] }), 'tensor', /outside/],
    ['a stride of 0', inTensor({ shape: [2 ** 40], strides: [0] }), 'tensor', /more than once/],
    ['rows that overlap', inTensor({ shape: [4, 3], strides: [1, 1] }), 'tensor', /more than once/],
    ['a negative stride', inTensor({ strides: [-1] }), 'data', /whole numbers/],
    ['a negative dimension', inTensor({ shape: [-6] }), 'data', /whole numbers/],
    ['a negative offset', inTensor({ offset: -1 }), 'data', /arguments of a tensor/],
    [
      'fewer strides than dimensions',
      inTensor({ shape: [2, 3], strides: [1] }),
      'data',
      /more dimensions than strides/,
    ],
    ['too many dimensions', inTensor({ shape: Array<number>(17).fill(1) }), 'limit', /too many dimensions/],
    ['a fractional shape', build(anyStorage, p.int(0), p.tuple(p.float(1.5)), stride, p.no, p.none), 'data', /whole/],
    ['a list for a shape', build(anyStorage, p.int(0), p.list(p.int(6)), stride, p.no, p.none), 'data', /tuple/],
    ['a tensor for a storage', build(one, p.int(0), shape, stride, p.no, p.none), 'data', /arguments/],
    [
      'negated numbers',
      build(anyStorage, p.int(0), shape, stride, p.no, p.none, p.dict({ neg: p.yes })),
      'data',
      /metadata/,
    ],
  ];
  it.each(cases)('%s', async (_, pickle, code, message) => {
    await expectRefusal(pickle, code, message);
  });
});

describe('a pickle of too many', () => {
  const repeat = (count: number, opcodes: string) => Buffer.alloc(count * opcodes.length, opcodes, 'latin1');
  const cases: Case[] = [
    ['marks', p.pickle(repeat(300, '(')), 'limit', /256 open marks/],
    ['opcodes', p.pickle(p.raw('N', repeat(limits.opcodes, 'q\0'))), 'limit', /4194304 opcodes/],
    ['memo entries', p.pickle(p.raw('N', repeat(2 ** 20 + 1, '\x94'))), 'limit', /memo entries/],
    ['values on the stack', p.pickle(repeat(2 ** 20 + 1, 'N')), 'limit', /values on the stack/],
    ['objects', p.pickle(repeat(2 ** 20 + 1, '}')), 'limit', /objects/],
    ['pairs', p.pickle(p.raw('}', repeat(2 ** 20, 'NNs'))), 'limit', /objects/],
    ['levels', named(p.raw(repeat(100, ']'), repeat(99, 'a'))), 'limit', /nested too deeply/],
    // Four times over, 32 of the tuple before.
    ['shared values', named(p.raw('](Nq\0', repeat(4, `(${'h\0'.repeat(32)}tq\0`), 'e')), 'limit', /too many values/],
    ['shared tensors', named(p.raw(one, 'q\0](', repeat(2 ** 16 + 1, 'h\0'), 'e', 0x86)), 'limit', /too many tensors/],
    ['bytes in a text', p.pickle(p.text('x'.repeat(2 ** 20 + 1))), 'limit', /text is too long/],
    ['bytes in an integer', p.pickle(p.raw(0x8a, 200, Buffer.alloc(200))), 'limit', /integer is too long/],
    ['letters in a name', p.pickle(p.dict({ ['x'.repeat(2000)]: one })), 'limit', /names[^]*too long/],
    [
      'letters in all names',
      p.pickle(p.dict({ ['x'.repeat(1000)]: p.raw('](', repeat(20_000, 'N'), 'e') })),
      'limit',
      /names[^]*too long/,
    ],
  ];
  it.each(cases)('%s', async (_, pickle, code, message) => {
    await expectRefusal(pickle, code, message);
  });
});
