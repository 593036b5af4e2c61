/** Sums of the rows of a product's right operand beside the product: a bias's gradient with its weight's. */
import { reductions } from "../kernels/reduce.ts";
import { type Cell, rootView, type View } from "./cells.ts";
import { dependencies } from "./dependencies.ts";
import { isProductCall } from "./products.ts";
import { Reachability } from "./reachability.ts";
import type { CallUnit, Unit } from "./units.ts";

/**
 * The units with those reductions joined to products that add up the first rows of the product's right operand, its
 * left one being transposed; but for products that wait for the sums.
 */
export function joinColumnSums(units: readonly Unit[]): Unit[] {
  const calls = units.filter((unit): unit is CallUnit => unit.kind === "call");
  const sums = calls.filter(isColumnSum);
  if (sums.length === 0) return [...units];
  const reachability = new Reachability(dependencies(units, []));
  const numbers = new Map<Unit, number>(units.map((unit, number) => [unit, number]));
  const numberOf = (unit: Unit) => numbers.get(unit) as number;
  const joined = new Map<Unit, CallUnit>(); // what takes the place of a product or of a sum
  const products = new Map<Cell, CallUnit[]>(); // by the root cell of the right operand
  for (const call of calls.filter(isGradient)) {
    const { root } = (call.reads["right"] as View).cell;
    products.set(root, [...(products.get(root) ?? []), call]);
  }
  for (const sum of sums) {
    const product = products
      .get((sum.reads["in"] as View).cell.root)
      ?.find(
        (call) => !joined.has(call) && hasRows(call, sum) && !reachability.connects(numberOf(sum), numberOf(call)),
      );
    if (!product) continue;
    reachability.merge(numberOf(sum), numberOf(product));
    const both = withSums(product, sum);
    for (const unit of [product, sum]) {
      joined.set(unit, both);
      for (const { cell } of Object.values(unit.writes)) cell.writers.splice(cell.writers.indexOf(unit), 1, both);
    }
  }
  return [...new Set(units.map((unit) => joined.get(unit) ?? unit))];
}

function isColumnSum({ kernel, parameters }: CallUnit): boolean {
  const { outer, kind, scale } = parameters;
  return kernel === "reduce" && outer === 1 && kind === reductions.indexOf("sum") && scale === 1;
}

function isGradient(call: CallUnit): boolean {
  const { transposeLeft, transposeRight } = call.parameters;
  return isProductCall(call) && Boolean(transposeLeft) && !transposeRight;
}

/** Whether the rows that `sum` adds up are the first rows of the right operand of such a product. */
function hasRows({ parameters, reads }: CallUnit, sum: CallUnit): boolean {
  const { inner, reduced = 0 } = sum.parameters;
  const [right, from] = [rootView(reads["right"] as View), rootView(sum.reads["in"] as View)];
  const fits = inner === parameters["columns"] && reduced <= (parameters["depth"] as number);
  return fits && right.cell === from.cell && right.offset === from.offset;
}

function withSums(product: CallUnit, sum: CallUnit): CallUnit {
  const sumsDepth = sum.parameters["reduced"] as number;
  return {
    ...product,
    parameters: { ...product.parameters, sumsDepth },
    writes: { ...product.writes, sums: sum.writes["out"] as View },
    flops: product.flops + sum.flops,
    label: (names) => `${product.label(names)}; ${names["sums"]} = sums of ${sumsDepth} rows of ${names["right"]}`,
  };
}
