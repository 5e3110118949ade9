// TensorBoard's Event message in protobuf, as far as scalars and texts need it.

/** Numbers by tag, e.g. `{ 'train/loss': 1.25 }`; stored as 32-bit floats, NaN and infinities included. */
export type Scalars = Readonly<Record<string, number>>;

/** Field numbers of `tensorflow.Event`, `Summary` and `Summary.Value` (event.proto, summary.proto). */
const field = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, value: 1, tag: 1, simpleValue: 2 } as const;
/** Those that a text needs: of `Summary.Value`, `SummaryMetadata`, `PluginData`, `TensorProto`, `TensorShapeProto`, `Dim`. */
const textField = {
  tensor: 8,
  metadata: 9,
  pluginData: 1,
  pluginName: 1,
  dataClass: 4,
  type: 1,
  shape: 2,
  stringValue: 8,
  dimension: 2,
  size: 1,
} as const;
/** `DT_STRING` of types.proto and `DATA_CLASS_TENSOR` of summary.proto. */
const stringType = 7;
const tensorClass = 2;
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** The event every file begins with. @param wallTime - seconds since 1970. */
export function fileVersionEvent(wallTime: number): Uint8Array {
  return concat([double(field.wallTime, wallTime), bytes(field.fileVersion, utf8('brain.Event:2'))]);
}

/** All scalars of one step in one event. @param wallTime - seconds since 1970. */
export function scalarsEvent(wallTime: number, step: number, scalars: Scalars): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(field.value, concat([bytes(field.tag, utf8(tag)), float(field.simpleValue, value)])),
  );
  return summaryEvent(wallTime, step, values);
}

/** A list of texts under one tag, in Markdown, as the plugin `text` shows it. @param wallTime - seconds since 1970. */
export function textEvent(wallTime: number, step: number, tag: string, texts: readonly string[]): Uint8Array {
  const dimension = integer(textField.size, texts.length);
  const tensor = concat([
    integer(textField.type, stringType),
    bytes(textField.shape, bytes(textField.dimension, dimension)),
    ...texts.map((text) => bytes(textField.stringValue, utf8(text))),
  ]);
  const metadata = concat([
    bytes(textField.pluginData, bytes(textField.pluginName, utf8('text'))),
    integer(textField.dataClass, tensorClass),
  ]);
  const value = concat([
    bytes(field.tag, utf8(tag)),
    bytes(textField.tensor, tensor),
    bytes(textField.metadata, metadata),
  ]);
  return summaryEvent(wallTime, step, [bytes(field.value, value)]);
}

function summaryEvent(wallTime: number, step: number, values: readonly Uint8Array[]): Uint8Array {
  return concat([
    double(field.wallTime, wallTime),
    // Protobuf leaves a zero out.
    ...(step === 0 ? [] : [integer(field.step, step)]),
    bytes(field.summary, concat(values)),
  ]);
}

function integer(fieldNumber: number, value: number): Uint8Array {
  return concat([key(fieldNumber, wire.varint), varint(value)]);
}

function key(fieldNumber: number, wireType: number): Uint8Array {
  return varint(fieldNumber * 8 + wireType);
}

/** Base-128 varint of an integer in [0, 2^53); division, because shifts stop at 32 bits. */
function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
  return Uint8Array.from(out);
}

function double(fieldNumber: number, value: number): Uint8Array {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setFloat64(0, value, true);
  return concat([key(fieldNumber, wire.fixed64), data]);
}

function float(fieldNumber: number, value: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setFloat32(0, value, true);
  return concat([key(fieldNumber, wire.fixed32), data]);
}

function bytes(fieldNumber: number, data: Uint8Array): Uint8Array {
  return concat([key(fieldNumber, wire.bytes), varint(data.length), data]);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
