/** An ONNX file of a velocity field. */
import { sizeOf } from "../graph/node.ts";
import { type ConditionDeclaration, parameterLayout, toldName } from "../nn/network.ts";
import type { Trace, TraceInput } from "../trace/trace.ts";
import type { FlatVector } from "../train/checkpoint.ts";
import { Builder } from "./builder.ts";
import { type Field, type FieldInput, fieldInputs, fieldTrace } from "./field.ts";
import { type ModelFile, type ValueInfo, writeModelFile } from "./model-file.ts";
import { rules } from "./rules.ts";
import { heldResult } from "./rules-moving.ts";
import { isFixed } from "./sizes.ts";
import { type Held, type Result, Translation } from "./translation.ts";

/** The name of the axis that may have any size. */
const ROWS = "batch";

/** An input of the file, and which of the trace it is. */
export interface Input {
  readonly of: TraceInput;
  readonly name: string;
  readonly description: string;
}

/** An output of the file, under its name in the trace. */
export interface Output {
  readonly name: string;
  readonly shape: ValueInfo["shape"];
  readonly type: ValueInfo["type"];
  readonly description: string;
}

export interface GraphToWrite extends Pick<ModelFile, "name" | "description" | "metadata"> {
  readonly trace: Trace;
  /** Of the first, the first axis is the rows. */
  readonly inputs: readonly [Input, ...Input[]];
  /** Numbers that the file holds, by the name of the trace's input that they are. */
  readonly numbers: ReadonlyMap<string, Held>;
  readonly outputs: readonly Output[];
}

/**
 * The bytes of a file that computes a trace.
 *
 * @throws {@link UnsupportedError} for an op that ONNX has not.
 * @throws {@link LimitError} when the file were 2 GiB or more.
 */
export function writeGraph({ trace, inputs, numbers, outputs, ...about }: GraphToWrite): Uint8Array<ArrayBuffer> {
  const builder = new Builder(
    inputs[0].name,
    [...inputs, ...outputs].map(({ name }) => name),
  );
  const given = new Map<string, Result>([
    ...inputs.map(({ of, name }) => [of.name, { from: name, shape: of.shape }] as const),
    ...[...numbers].map(([name, held]) => [name, heldResult(held)] as const),
  ]);
  const translation = new Translation(builder, rules);
  for (const [name, from] of translation.translate(trace, given)) builder.output(name, from);
  return writeModelFile({
    ...about,
    inputs: inputs.map(({ of: { shape, dtype }, name, description }) => ({
      ...{ name, description, type: dtype === "f32" ? "float" : "int64" },
      shape: shape.map((size) => (isFixed(size) ? size : ROWS)),
    })),
    outputs,
    ...builder.finish(outputs.map(({ name }) => name)),
  });
}

/**
 * The ONNX file of a velocity field: inputs x, t and the conditions; outputs velocity and noise.
 *
 * @param parameters - laid out by the network's parameterLayout.
 * @throws {@link UnsupportedError} when the network has an op that ONNX has not, or depends on the number of rows.
 * @throws {@link LimitError} when the file were 2 GiB or more.
 */
export function writeOnnx(
  field: Field,
  parameters: FlatVector,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const { network } = field;
  const inputs = fieldInputs(field);
  const taken = ["velocity", "noise"];
  const layout = parameterLayout(network).entries;
  const valuesOf = new Map(layout.map(({ declaration, offset }) => [declaration.name, offset]));
  const numbers = inputs.parameters.map(({ of, name, shape }): [string, Held] => {
    const offset = valuesOf.get(of) as number;
    const sizes = shape.filter(isFixed);
    const values = Float32Array.from(parameters.subarray(offset, offset + sizeOf(sizes)));
    return [name, { stem: of, shape: sizes, values }];
  });
  const output = (name: string, description: string): Output => ({
    ...{ name, description, type: "float" },
    shape: inputs.points.shape.map((size) => (isFixed(size) ? size : ROWS)),
  });
  const named = (of: FieldInput, description: string): Input => ({
    ...{ of, description },
    name: taken.includes(of.of) ? of.name : of.of,
  });
  return writeGraph({
    ...{ name: "velocity", description: DESCRIPTION, metadata },
    trace: fieldTrace(field),
    inputs: [
      named(inputs.points, "points, in data units"),
      named(inputs.times, "times in [0, 1]: 0 is noise, 1 data"),
      ...inputs.conditions.map((each) => named(each, meaningOf(each.of, network.conditions?.[each.of]))),
    ],
    numbers: new Map(numbers),
    outputs: [
      output("velocity", "dx/dt, in data units"),
      output("noise", "where sampling starts at t = 0, in data units, if the numbers in x are N(0, 1)"),
    ],
  });
}

const DESCRIPTION =
  "The velocity field of a flow-matching model by divflow: dx/dt = velocity(x, t), in data units (standardisation is " +
  "inside). To sample, give N(0, 1) as x and take noise for x at t = 0, then solve to t = 1.";

/** @param declaration - undefined for what says whether another condition is told. */
function meaningOf(name: string, declaration: ConditionDeclaration | undefined): string {
  if (!declaration) {
    const told = name.slice(0, -toldName("").length);
    return `1 where ${told} is told, 0 where it is not, whatever its numbers are`;
  }
  const { classes, drop } = declaration;
  if (classes === undefined) return "numbers, in data units";
  return `labels from 0 to ${classes - 1}${drop ? `; ${classes}: not told` : ""}`;
}
