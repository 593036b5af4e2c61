/** Letters from what a logits field gives, on the host. */
import { LARGEST_CONCENTRATION } from "./concentrations.ts";
import { concentrationVariable, type FactorTable, type Polynomial } from "./factor-table.ts";

/** C and C/x at one a, in f64: what tables of two variables leave of one. */
export function factorAt(table: FactorTable, a: number): (x: number) => { factor: number; ratio: number } {
  const { letters, low, high } = table;
  const y = concentrationVariable.scale * Math.log(Math.min(a, LARGEST_CONCENTRATION)) + concentrationVariable.shift;
  const at = (polynomial: Polynomial) => Float64Array.from(polynomial, (powers) => horner(powers, y));
  const [first, rest, above] = [at(low.ratio[0]), at(low.ratio[1]), at(high.ratio)];
  const widest = Math.log(letters);
  return (x) => {
    if (x <= 0) return { factor: 0, ratio: Number.POSITIVE_INFINITY };
    const w = -Math.log(x * letters);
    if (w > 0) {
      const z = 2 * letters * x - 1;
      const ratio = (w * horner(first, z) + horner(rest, z)) / a;
      return { factor: x * ratio, ratio };
    }
    const scaled = horner(above, (-2 * w) / widest - 1) / Math.sqrt(a);
    return { factor: scaled * Math.sqrt(x), ratio: scaled / Math.sqrt(x) };
  };
}

function horner(powers: ArrayLike<number>, z: number): number {
  let sum = 0;
  for (let k = powers.length - 1; k >= 0; k--) sum = sum * z + (powers[k] as number);
  return sum;
}
