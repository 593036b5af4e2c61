/** Chains as plainly as they can be run: each load, step and store over all elements, in f64 between them. */
import type { HostTensor, OpDefinition } from "../../src/graph/op.ts";
import { activationKinds, randomFunctions } from "../../src/kernels/elementwise.ts";
import { randomKinds } from "../../src/kernels/random.ts";
import { activation } from "../../src/ops/activation.ts";
import { arithmeticOps } from "../../src/ops/arithmetic.ts";
import { randomBits, randomNumber } from "../../src/ops/threefry.ts";
import type { ElementwiseChain, ElementwiseOperand, ElementwiseStep, Placement } from "../../src/schedule/program.ts";
import { demand } from "./check-call.ts";

/** Reads and writes elements of a placement. */
export interface Access {
  readonly length: number;
  get(i: number): number;
  set(i: number, value: number): void;
}

const functions = new Map<string, (...operands: readonly Float64Array[]) => Float64Array>([
  ...arithmeticOps().map(([{ op }]): [string, ReturnType<typeof functionOf>] => [op.name, functionOf(op, null)]),
  ...activationKinds.flatMap((kind) =>
    [0, 1, 2, 3].map((order): [string, ReturnType<typeof functionOf>] => [
      `${kind}${order}`,
      functionOf(activation.op as OpDefinition<never>, { kind, order } as never),
    ]),
  ),
]);

function functionOf<Attributes>(op: OpDefinition<Attributes>, attributes: Attributes) {
  return (...operands: readonly Float64Array[]): Float64Array => {
    const inputs = operands.map((data) => ({ shape: [data.length], data }));
    return op.reference(inputs, attributes, (inputs[0] as HostTensor).shape).data;
  };
}

/** The function of this name on arrays of equal length. */
function functionNamed(name: string): (...operands: readonly Float64Array[]) => Float64Array {
  const found = functions.get(name);
  demand(found !== undefined, `no function ${name}`);
  return found;
}

/** @param products - elements of each row group of the product that the chain follows. */
export function runChain(
  { count, loads, steps, stores }: ElementwiseChain,
  access: (placement: Placement, dtype: "f32" | "u32") => Access,
  products: readonly Float64Array[] = [],
): void {
  const loaded = loads.map(({ placement, divisor, modulus, stride = 1, terms = [], dtype }) => {
    const from = access(placement, dtype);
    const all = [{ divisor, modulus, stride }, ...terms];
    return Float64Array.from({ length: count }, (_, i) =>
      from.get(all.reduce((sum, term) => sum + (Math.floor(i / term.divisor) % term.modulus) * term.stride, 0)),
    );
  });
  const results: Float64Array[] = [];
  const values = { load: loaded, step: results, product: products };
  const operandValue = (operand: ElementwiseOperand): Float64Array => {
    if (operand.from === "constant") return new Float64Array(count).fill(operand.value);
    const value = values[operand.from][operand.index];
    demand(value !== undefined, `no ${operand.from} ${operand.index} before it is used`);
    return value;
  };
  for (const step of steps) {
    const operands = step.operands.map(operandValue);
    results.push(step.random ? draw(step, operands, count) : functionNamed(step.function)(...operands));
  }
  for (const { placement, stride = 1, width = 1, source, dtype } of stores) {
    const to = access(placement, dtype);
    operandValue(source).forEach((value, i) => {
      to.set(Math.floor(i / width) * stride + (i % width), value);
    });
  }
}

function draw({ function: name, random }: ElementwiseStep, words: readonly Float64Array[], count: number) {
  const { stream, bound, stride, offset } = random as NonNullable<typeof random>;
  const kind = randomKinds[(randomFunctions as readonly string[]).indexOf(name)];
  demand(kind !== undefined && words.length === 3, `no function ${name} of ${words.length}`);
  const [low, high, counter] = words.map((word) => word[0]) as [number, number, number];
  const bits = randomBits([low, high], stream, counter, (count - 1) * stride + offset + 1);
  return Float64Array.from({ length: count }, (_, i) => randomNumber(kind, bits[i * stride + offset] as number, bound));
}
