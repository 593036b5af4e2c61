/** Node 20 and 21 have relaxed SIMD behind a flag, which later versions need not know. @returns {string[]} */
export function relaxedFlags() {
  const major = Number(process.versions.node.split(".")[0]);
  return major < 22 ? ["--experimental-wasm-relaxed-simd"] : [];
}
