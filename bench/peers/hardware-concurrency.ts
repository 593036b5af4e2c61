/** Libraries take their number of threads from navigator.hardwareConcurrency, when they are first used. */
export function pretendCores(count: number): void {
  Object.defineProperty(globalThis.navigator, "hardwareConcurrency", { value: count, configurable: true });
}
