/** LZW as GIF has it, for bytes: codes of 9 to 12 bits, the lowest bit first. */

const CLEAR = 256;
const END = 257;
const MOST_CODES = 4096;

/** The codes of these bytes, without the blocks that GIF puts them into. */
export function compressed(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let [buffer, filled] = [0, 0];
  let [size, next] = [9, END + 1];
  /** Of a string that has a code and a byte behind it, the code of both. */
  let known = new Map<number, number>();
  const emit = (code: number) => {
    buffer |= code << filled;
    for (filled += size; filled >= 8; filled -= 8) {
      out.push(buffer & 255);
      buffer >>>= 8;
    }
  };
  emit(CLEAR);
  let current = bytes[0];
  for (let i = 1; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    const key = ((current as number) << 8) | byte;
    const longer = known.get(key);
    if (longer !== undefined) {
      current = longer;
      continue;
    }
    emit(current as number);
    current = byte;
    if (next === MOST_CODES) {
      emit(CLEAR);
      known = new Map();
      [size, next] = [9, END + 1];
      continue;
    }
    if (next === 1 << size) size++; // a reader, one code behind, grows by then
    known.set(key, next++);
  }
  if (current !== undefined) emit(current);
  emit(END);
  if (filled > 0) out.push(buffer & 255);
  return Uint8Array.from(out);
}
