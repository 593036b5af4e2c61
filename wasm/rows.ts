/** gather, scatterAdd, replaceRow: rows moved by index; src/kernels/rows.ts. Addresses are in elements of 4 bytes. */

@unmanaged
class GatherParameters {
  count: u32;
  width: u32;
  rows: u32;
  table: u32;
  indices: u32;
  out: u32;
}

/** out[m] = table[indices[m]]. An index past the end, which nobody promises, reads the last row, not other memory. */
export function gather(parameters: usize): void {
  const p = changetype<GatherParameters>(parameters);
  const bytes: usize = <usize>p.width << 2;
  const table: usize = <usize>p.table << 2;
  let index: usize = <usize>p.indices << 2;
  let out: usize = <usize>p.out << 2;
  for (let m: u32 = 0; m < p.count; m++, index += 4, out += bytes) {
    const row = table + min(load<u32>(index), p.rows - 1) * bytes;
    if (bytes < 64) for (let i: usize = 0; i < bytes; i += 4) store<u32>(out + i, load<u32>(row + i));
    else memory.copy(out, row, bytes);
  }
}

@unmanaged
class ScatterAddParameters {
  count: u32;
  width: u32;
  rows: u32;
  values: u32;
  indices: u32;
  out: u32;
}

/** out[n] = sum over m with indices[m] = n of values[m], in order of m. An index past the end adds nothing. */
export function scatterAdd(parameters: usize): void {
  const p = changetype<ScatterAddParameters>(parameters);
  const bytes: usize = <usize>p.width << 2;
  const out: usize = <usize>p.out << 2;
  let value: usize = <usize>p.values << 2;
  let index: usize = <usize>p.indices << 2;
  memory.fill(out, 0, p.rows * bytes);
  for (let m: u32 = 0; m < p.count; m++, index += 4, value += bytes) {
    const n = load<u32>(index);
    if (n >= p.rows) continue;
    const row = out + n * bytes;
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(row + i, f32x4.add(v128.load(row + i), v128.load(value + i)));
    for (; i < bytes; i += 4) store<f32>(row + i, load<f32>(row + i) + load<f32>(value + i));
  }
}

@unmanaged
class ReplaceRowParameters {
  rows: u32;
  width: u32;
  index: u32;
  row: u32;
  table: u32;
}

/** table[index mod rows] = row, in place. */
export function replaceRow(parameters: usize): void {
  const p = changetype<ReplaceRowParameters>(parameters);
  const n = load<u32>(<usize>p.index << 2) % p.rows;
  memory.copy((<usize>p.table + n * p.width) << 2, <usize>p.row << 2, <usize>p.width << 2);
}
