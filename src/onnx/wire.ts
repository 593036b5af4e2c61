/**
 * Protocol Buffers' wire format, as far as ONNX needs it: a message is its fields one after another, each a key (number
 * and type) and what it holds. Messages are kept as pieces until the file is made, so that weights are copied once.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

/** Bytes to come, in order. */
export interface Message {
  readonly length: number;
  readonly pieces: readonly Uint8Array[];
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** An integer field. */
export function integer(field: number, value: number | bigint): Message {
  return whole([...varint(key(field, VARINT)), ...varint(BigInt(value))]);
}

/** A field of f32. */
export function float(field: number, value: number): Message {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return whole([...varint(key(field, FIXED_32)), ...bytes]);
}

/** A field of text. */
export function text(field: number, value: string): Message {
  return bytes(field, new TextEncoder().encode(value));
}

/** A field of bytes, which are not copied. */
export function bytes(field: number, value: Uint8Array): Message {
  return nested(field, { length: value.length, pieces: [value] });
}

/** A field that is a message itself. */
export function nested(field: number, value: Message): Message {
  return message([whole([...varint(key(field, LENGTH_DELIMITED)), ...varint(BigInt(value.length))]), value]);
}

/** Fields one after another. */
export function message(fields: readonly Message[]): Message {
  const length = fields.reduce((sum, field) => sum + field.length, 0);
  return { length, pieces: fields.flatMap((field) => field.pieces) };
}

/** The bytes themselves. */
export function joined({ length, pieces }: Message): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function key(field: number, type: number): bigint {
  return BigInt(field * 8 + type);
}

/** Seven bits to a byte, the lowest first; negative numbers as 64 bits in two's complement. */
function varint(value: bigint): number[] {
  const digits: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
  return [...digits, Number(rest)];
}

function whole(digits: readonly number[]): Message {
  return { length: digits.length, pieces: [Uint8Array.from(digits)] };
}
