/** Adapters that run on the CPU, told by their descriptions: other kernels are fast there, and WebAssembly is faster. */
const softwareAdapter = /swiftshader|llvmpipe|lavapipe|softpipe|microsoft basic render|\bwarp\b/i;

/** Whether a device of this description runs on the CPU. */
export function isSoftware(description: string): boolean {
  return softwareAdapter.test(description);
}
