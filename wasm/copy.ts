/** copy: one strided array of four axes into another, bit by bit; src/kernels/copy.ts. Strides are in elements. */

@unmanaged
class CopyParameters {
  size0: u32;
  size1: u32;
  size2: u32;
  size3: u32;
  sourceStart: u32;
  sourceStride0: u32;
  sourceStride1: u32;
  sourceStride2: u32;
  sourceStride3: u32;
  targetStart: u32;
  targetStride0: u32;
  targetStride1: u32;
  targetStride2: u32;
  targetStride3: u32;
  source: u32;
  target: u32;
}

export function copy(parameters: usize): void {
  const p = changetype<CopyParameters>(parameters);
  const source = p.source + p.sourceStart;
  const target = p.target + p.targetStart;
  for (let i0: u32 = 0; i0 < p.size0; i0++) {
    for (let i1: u32 = 0; i1 < p.size1; i1++) {
      const from = source + i0 * p.sourceStride0 + i1 * p.sourceStride1;
      const to = target + i0 * p.targetStride0 + i1 * p.targetStride1;
      copyPlane(p, <usize>from << 2, <usize>to << 2);
    }
  }
}

/** The two inner axes. Lines that are contiguous on both sides go whole; others element by element, 16 lines at once. */
function copyPlane(p: CopyParameters, from: usize, to: usize): void {
  const fromStep: usize = <usize>p.sourceStride3 << 2;
  const toStep: usize = <usize>p.targetStride3 << 2;
  const fromLine: usize = <usize>p.sourceStride2 << 2;
  const toLine: usize = <usize>p.targetStride2 << 2;
  const length: u32 = p.size3;
  if (fromStep == 4 && toStep == 4 && length >= 8) {
    for (let line: u32 = 0; line < p.size2; line++) memory.copy(to + line * toLine, from + line * fromLine, <usize>length << 2);
    return;
  }
  // In bands of lines, so that a transposition meets each cache line of its source while it is near.
  for (let band: u32 = 0; band < p.size2; band += 16) {
    const end = min(band + 16, p.size2);
    for (let i: u32 = 0; i < length; i++) {
      let f = from + band * fromLine + i * fromStep;
      let t = to + band * toLine + i * toStep;
      for (let line = band; line < end; line++, f += fromLine, t += toLine) store<u32>(t, load<u32>(f));
    }
  }
}
