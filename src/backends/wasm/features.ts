/** What WebAssembly can do here, asked by validating modules of a few bytes. */

export interface WasmFeatures {
  /** 128-bit vectors: without them there is no WASM backend. */
  readonly simd: boolean;
  /** Relaxed SIMD, of which divflow uses the fused multiply-add. */
  readonly relaxedSimd: boolean;
  /** Shared memory and atomics; in pages only when they are cross-origin isolated. */
  readonly threads: boolean;
}

export function wasmFeatures(): WasmFeatures {
  return {
    simd: validates(splatBody),
    relaxedSimd: validates(relaxedMultiplyAddBody),
    threads: typeof SharedArrayBuffer === "function" && validates(atomicLoadBody, sharedMemory),
  };
}

// i32.const 0  i8x16.splat  drop
const splatBody = [0x41, 0x00, 0xfd, 0x0f, 0x1a];
// three times (i32.const 0  i8x16.splat)  f32x4.relaxed_madd  drop
const relaxedMultiplyAddBody = [...splat(), ...splat(), ...splat(), 0xfd, 0x85, 0x02, 0x1a];
// i32.const 0  i32.atomic.load align=4  drop
const atomicLoadBody = [0x41, 0x00, 0xfe, 0x10, 0x02, 0x00, 0x1a];
// A section with one shared memory of exactly one page.
const sharedMemory = [0x05, 0x04, 0x01, 0x03, 0x01, 0x01];

function splat(): number[] {
  return [0x41, 0x00, 0xfd, 0x0f];
}

/** Whether a module with one function () -> () of this body, and a memory section if given, is valid. */
function validates(body: readonly number[], memorySection: readonly number[] = []): boolean {
  if (typeof WebAssembly !== "object") return false;
  const code = [0x00, ...body, 0x0b]; // no locals, body, end
  return WebAssembly.validate(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
      ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // type 0: () -> ()
      ...[0x03, 0x02, 0x01, 0x00], // function 0 has type 0
      ...memorySection,
      ...[0x0a, code.length + 2, 0x01, code.length, ...code],
    ]),
  );
}
