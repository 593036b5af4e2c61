/**
 * Every case of every op, compiled and run on the backend: value, jvp and vjp against the f64 reference. Inputs and
 * results are state. Many cases share a program, since a device takes its time to make one.
 */
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import type { Backend, NumericArray, StateBuffer } from "../../src/backends/backend.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { StateDeclaration, Update } from "../../src/graph/graph.ts";
import { type DType, type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { hasKernel } from "../../src/kernels/optional.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { flowUnit } from "../../src/schedule/flow-unit.ts";
import { assert, assertClose, assertEqual } from "./assert.ts";
import type { Check } from "./check.ts";
import { onEachBackend } from "./kernel-backends.ts";
import { type CaseGraph, caseGraphs } from "./op-cases.ts";

/** f32 of a few operations, sums of some tens of products among them; relative to the largest of a result. */
const TOLERANCE = 2e-5;

const CASES_PER_PROGRAM = 16;

const families: Readonly<Record<string, (each: CaseGraph) => boolean>> = {
  elementwise: ({ op }) => op.elementwise !== undefined && op.name !== "activation",
  activation: ({ op }) => op.name === "activation",
  composites: ({ op }) => op.expand !== undefined,
  others: ({ op }) => op.elementwise === undefined && op.expand === undefined,
};

export const checks: Check[] = Object.entries(families).map(([family, belongs]) => ({
  name: `ops agree with f64, and so do their derivatives: ${family}`,
  seconds: 120,
  async run(context) {
    const cases = ({ limits }: Backend) =>
      caseGraphs(1).filter((each) => belongs(each) && hasKernel(each.op.name, limits));
    await onEachBackend(context, (backend) => checkOps(backend, cases(backend)));
  },
}));

/** Runs the cases on the backend; throws at the first result that is off. */
export async function checkOps(backend: Backend, cases: readonly CaseGraph[]): Promise<void> {
  assert(cases.length > 0, "There are no cases.");
  for (let first = 0; first < cases.length; first += CASES_PER_PROGRAM) {
    await checkTogether(backend, cases.slice(first, first + CASES_PER_PROGRAM));
  }
}

/** What the program writes: a state for each. */
interface Result extends Update {
  readonly label: string;
  readonly expected: Float64Array;
}

async function checkTogether(backend: Backend, cases: readonly CaseGraph[]): Promise<void> {
  const given = new Map<string, HostTensor>();
  const updates = cases.flatMap((each, number) => resultsOf(each, `result${number}`, given));
  const expected = evaluate(
    updates.map(({ value }) => value),
    given,
  );
  const results = updates.map((update, i): Result => ({ ...update, expected: expected[i].data }));
  const program = compile({ name: "ops", updates }, backend.limits, flowUnit);
  const buffers = new Map<string, StateBuffer>();
  for (const { name, shape, dtype } of program.state) {
    const buffer = backend.createState(name, sizeOf(shape));
    buffers.set(name, buffer);
    const values = given.get(name);
    if (values) backend.write(buffer, 0, asType(values.data, dtype));
  }
  const executable = await backend.load(program, buffers);
  try {
    executable.run(1);
    for (const result of results) await checkResult(backend, buffers.get(result.state.name) as StateBuffer, result);
  } finally {
    executable.dispose();
    for (const buffer of buffers.values()) buffer.dispose();
  }
}

/** The value of a case and, where it has them, its tangent and the cotangents of its inputs. */
function resultsOf(each: CaseGraph, name: string, given: Map<string, HostTensor>): (Update & { label: string })[] {
  const { inputs, output, label } = each;
  for (const [input, values] of each.values) given.set(input, values);
  const result = (what: string, value: Node) => ({
    label: `${what} of ${label}`,
    state: declared(name, what, value),
    value,
  });
  const results = [result("value", output)];
  if (output.dtype === "u32" || each.derivatives === 0) return results;

  const drawn = (what: string, shape: Shape, purpose: number): Node => {
    const declaration = { name: `${name}.${what}`, shape, dtype: "f32" } as const;
    given.set(declaration.name, each.draw(shape, purpose));
    return state(declaration);
  };
  const variables = inputs.filter(({ dtype }) => dtype === "f32");
  const tangents = variables.map(({ shape }, i) => drawn(`along${i}`, shape, 30 + i));
  const [tangent] = jvp([output], variables, tangents);
  if (tangent) results.push(result("tangent", tangent));
  const cotangents = vjp([output], [drawn("back", output.shape, 40)], variables);
  cotangents.forEach((cotangent, i) => {
    results.push(result(`cotangent${i}`, cotangent));
  });
  return results;
}

function declared(name: string, what: string, { shape, dtype }: Node): StateDeclaration {
  return { name: `${name}.${what}`, shape, dtype };
}

async function checkResult(backend: Backend, buffer: StateBuffer, { label, value, expected }: Result): Promise<void> {
  const found = await backend.read(buffer, 0, sizeOf(value.shape), value.dtype);
  const subject = `${label} on ${backend.device}`;
  if (value.dtype === "u32") assertEqual(found, expected, subject);
  else assertClose(found, expected, TOLERANCE, subject);
}

function asType(values: Float64Array, dtype: DType): NumericArray {
  return dtype === "u32" ? Uint32Array.from(values) : values;
}
