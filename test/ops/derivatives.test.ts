// Every op in the registry, every case it declares: both derivative rules to second order. First derivatives against
// differences, and the reverse rule as the adjoint of the forward one; then the same of the graphs that the rules gave.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import { UnsupportedError } from "../../src/errors.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { isNodeOf, type Node, type Shape } from "../../src/graph/node.ts";
import type { HostTensor, OpDefinition } from "../../src/graph/op.ts";
import { zerosLike } from "../../src/ops/arithmetic.ts";
import { stopGradientOp } from "../../src/ops/control.ts";
import { ops } from "../../src/ops/registry.ts";
import { constantValue, state } from "../../src/ops/sources.ts";
import { type CaseGraph, caseGraphs } from "../conformance/op-cases.ts";
import { differences, inner, nameOf, norm, relativeError, type Values } from "../differences.ts";

/** See STEP: what differences leave is below 1e-12 of values that are of size 1; a wrong rule misses by far more. */
const DIFFERENCES = 1e-9;
/** The adjoint identity has no step: rounding only. */
const ROUNDING = 1e-13;

/** What src/ops/ exports that makes nodes of an op, by name and file. */
async function exportedOps(): Promise<(readonly [name: string, file: string, op: OpDefinition])[]> {
  const files = readdirSync(new URL("../../src/ops/", import.meta.url));
  const modules = await Promise.all(files.map((file) => import(`../../src/ops/${file}`) as Promise<object>));
  return modules.flatMap((module, i) =>
    Object.entries(module).flatMap(([name, value]) =>
      typeof value === "function" && "op" in value ? [[name, files[i], value.op as OpDefinition] as const] : [],
    ),
  );
}

/** A differentiable function: outputs, as a graph of state with these values. */
interface Differentiable {
  readonly outputs: readonly Node[];
  readonly variables: readonly Node[];
  readonly values: Values;
}

test.each(ops.map(({ op, cases }) => [op.name, cases] as const))("%s has cases", (_name, cases) => {
  expect(cases.length).toBeGreaterThan(0);
});

test("op names differ", () => {
  expect(new Set(ops.map(({ op }) => op.name)).size).toBe(ops.length);
});

test.each(await exportedOps())("%s of %s is in the registry", (_name, _file, op) => {
  expect(ops.some((registered) => registered.op === op)).toBe(true);
});

for (const seed of [1, 2, 3]) {
  describe.each(caseGraphs(seed))(`$label, seed ${seed}`, (given) => {
    const primal = primalOf(given);

    test("gives what its shape rule says", () => {
      const [{ shape, data }] = evaluate([given.output], given.values);
      expect(shape).toEqual(given.output.shape);
      expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
      expect(data.every(Number.isFinite)).toBe(true);
    });

    if (given.output.dtype === "u32") {
      test("has no tangent", () => {
        expect(given.op.jvp).toBeUndefined();
        expect(given.op.vjp).toBeUndefined();
      });
      return;
    }

    if (isNodeOf(given.output, stopGradientOp.op)) {
      test("is a constant to derivatives", () => {
        const { outputs, variables } = primal;
        expect(jvp(outputs, variables, variables)).toEqual([undefined]);
        expect(vjp(outputs, outputs, variables).map(constantValue)).toEqual([0]);
      });
      return;
    }

    if (given.derivatives === 0) {
      test("has no further derivative, and says so", () => {
        expect(() => jvpOf(primal, given)).toThrow(UnsupportedError);
        expect(() => vjpOf(primal, given)).toThrow(UnsupportedError);
      });
      return;
    }

    test("first derivatives", () => expectDerivatives(primal, given));

    if (given.derivatives === 1) return;
    test("derivatives of its jvp, which has the primal and the direction to move", () => {
      expectDerivatives(jvpOf(primal, given), given);
    });

    test("derivatives of its vjp, which has the primal and the cotangent to move", () => {
      expectDerivatives(vjpOf(primal, given), given);
    });
  });
}

function primalOf({ inputs, output, values }: CaseGraph): Differentiable {
  return { outputs: [output], variables: inputs.filter(({ dtype }) => dtype === "f32"), values };
}

/** J z as a function of the variables and of z. */
function jvpOf({ outputs, variables, values }: Differentiable, { draw }: CaseGraph): Differentiable {
  const tangents = variables.map((variable) => fresh(`${nameOf(variable)}.tangent`, variable.shape));
  return {
    outputs: jvp(outputs, variables, tangents).map((tangent, i) => tangent ?? zerosLike(outputs[i])),
    variables: [...variables, ...tangents],
    values: new Map([...values, ...tangents.map((node, i) => drawn(node, draw(node.shape, 10 + i)))]),
  };
}

/** J^T c as a function of the variables and of c. */
function vjpOf({ outputs, variables, values }: Differentiable, { draw }: CaseGraph): Differentiable {
  const cotangents = outputs.map((output, i) => fresh(`cotangent${i}`, output.shape));
  return {
    outputs: vjp(outputs, cotangents, variables),
    variables: [...variables, ...cotangents],
    values: new Map([...values, ...cotangents.map((node, i) => drawn(node, draw(node.shape, 20 + i)))]),
  };
}

/** J z against differences along z; <c, J z> = <J^T c, z>. */
function expectDerivatives({ outputs, variables, values }: Differentiable, { draw }: CaseGraph): void {
  const z = variables.map(({ shape }, i) => draw(shape, 30 + i));
  const c = outputs.map(({ shape }, i) => draw(shape, 40 + i));
  const along = variables.map((variable, i) => fresh(`z${i}`, variable.shape));
  const back = outputs.map((output, i) => fresh(`c${i}`, output.shape));
  const all = new Map([
    ...values,
    ...along.map((node, i) => drawn(node, z[i])),
    ...back.map((node, i) => drawn(node, c[i])),
  ]);

  const tangents = jvp(outputs, variables, along).map((tangent, i) => tangent ?? zerosLike(outputs[i]));
  const forward = evaluate(tangents, all).map(({ data }) => data);
  const slopes = differences(outputs, values, new Map(variables.map((node, i) => drawn(node, z[i]))));
  forward.forEach((tangent, i) => {
    expect(tangents[i].shape).toEqual(outputs[i].shape);
    expect(relativeError(tangent, slopes[i])).toBeLessThan(DIFFERENCES);
  });

  const gradients = vjp(outputs, back, variables);
  const reverse = evaluate(gradients, all).map(({ data }) => data);
  expect(gradients.map(({ shape }) => shape)).toEqual(variables.map(({ shape }) => shape));
  const directions = z.map(({ data }) => data);
  const cotangents = c.map(({ data }) => data);
  const scale = norm(cotangents) * norm(forward) + norm(reverse) * norm(directions);
  const gap = Math.abs(inner(cotangents, forward) - inner(reverse, directions));
  expect(gap).toBeLessThanOrEqual(ROUNDING * scale);
}

function fresh(name: string, shape: Shape): Node {
  return state({ name, shape, dtype: "f32" });
}

function drawn(node: Node, value: HostTensor): [string, HostTensor] {
  return [nameOf(node), value];
}
