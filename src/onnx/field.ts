/** What an exported file computes, as a trace of ours: the velocity and the noise to start from, both in data units. */
import type { Standardization } from "../data/standardize.ts";
import { ConfigError } from "../errors.ts";
import { expanded } from "../graph/expand.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { conditionValues } from "../nn/conditions.ts";
import { type Network, toldName } from "../nn/network.ts";
import { add, divide, multiply, select, subtract } from "../ops/arithmetic.ts";
import { reshape } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { type Trace, type TraceInput, traceOf } from "../trace/trace.ts";
import type { ConditionFacts } from "../train/checkpoint.ts";

export interface Field {
  readonly network: Network;
  /** Of the path. */
  readonly priorDeviation: number;
  readonly standardization: Standardization | undefined;
  /** Of a sample; left out: as the network has it. */
  readonly shape?: Shape | undefined;
  /** Names and units of conditions. */
  readonly conditions?: ConditionFacts | undefined;
}

/** What one sample is. */
export function sampleOf({ network, shape }: Pick<Field, "network" | "shape">): Shape {
  return shape ?? network.sample ?? [network.dimension];
}

/** Something that the field reads, under its name in the trace. */
export interface FieldInput extends TraceInput {
  /** Its name in the network. */
  readonly of: string;
}

export interface FieldInputs {
  readonly points: FieldInput;
  readonly times: FieldInput;
  readonly conditions: readonly FieldInput[];
  readonly parameters: readonly FieldInput[];
}

const ROWS = { perRow: 1, plus: 0 };

export function fieldInputs(field: Field): FieldInputs {
  const { network } = field;
  return {
    points: { of: "x", name: "x", shape: [ROWS, ...sampleOf(field)], dtype: "f32" },
    times: { of: "t", name: "t", shape: [ROWS], dtype: "f32" },
    conditions: conditionValues(network.conditions).map(({ name, shape, dtype }) => ({
      ...{ of: name, name: `condition.${name}` },
      ...{ shape: [ROWS, ...shape], dtype },
    })),
    parameters: network.parameters.map(({ name, shape }) => ({
      ...{ of: name, name: `parameter.${name}` },
      ...{ shape, dtype: "f32" },
    })),
  };
}

/**
 * The trace of "velocity" [rows, ...sample] at points [rows, ...sample], times [rows] and conditions, in data units, and of
 * "noise", the points as N(0, 1) turned into the noise of data units.
 *
 * @throws {@link ConfigError} when f32, which the file has, holds no such units.
 * @throws {@link UnsupportedError} when the network builds other graphs for other numbers of rows.
 */
export function fieldTrace(field: Field): Trace {
  const { network, standardization, priorDeviation } = field;
  const { dimension } = network;
  const { points, times, conditions, parameters } = fieldInputs(field);
  const units = unitsOf("coordinate", standardization);
  const all = [points, times, ...conditions, ...parameters].map(plain);
  return traceOf(`network "${network.kind}"`, all, (inputs, rows) => {
    const named = (some: readonly FieldInput[]) => new Map(some.map(({ of, name }) => [of, inputs.get(name) as Node]));
    const x = reshape(inputs.get(points.name) as Node, [rows, dimension]);
    const t = reshape(inputs.get(times.name) as Node, [rows, 1]);
    const told = toldOf(field, named(conditions), rows);
    const velocity = expanded(units.ofVelocity(network.apply(named(parameters), units.toModel(x), t, told)));
    const shape = [rows, ...sampleOf(field)];
    return { velocity: reshape(velocity, shape), noise: reshape(units.toData(multiply(x, priorDeviation)), shape) };
  });
}

/** Conditions in the network's units; numbers that are not told are 0 there, whatever they are. */
function toldOf(
  { network, conditions = {} }: Field,
  given: ReadonlyMap<string, Node>,
  rows: number,
): ReadonlyMap<string, Node> {
  const told = new Map(given);
  for (const [name, { shape, drop }] of Object.entries(network.conditions ?? {})) {
    const units = conditions[name]?.standardization;
    if (!units && !drop) continue;
    const numbers = given.get(name) as Node;
    if (numbers.dtype !== "f32") continue;
    const flat = reshape(numbers, [rows, sizeOf(shape)]);
    const own = unitsOf(`condition "${name}", number`, units).toModel(flat);
    const kept = drop ? select(given.get(toldName(name)) as Node, own, 0) : own;
    told.set(name, reshape(kept, [rows, ...shape]));
  }
  return told;
}

function plain({ name, shape, dtype }: FieldInput): TraceInput {
  return { name, shape, dtype };
}

/**
 * From data units and back, in f32: x [rows, D].
 *
 * @param subject - what columns are called in messages.
 */
function unitsOf(subject: string, standardization: Standardization | undefined) {
  if (!standardization) return { toModel: same, toData: same, ofVelocity: same };
  const { mean, std } = standardization;
  const row = (values: readonly number[]) => table(values, [values.length]);
  std.forEach((value, column) => {
    if (isNormal(value) && Math.abs(mean[column] as number) < LARGEST) return;
    throw new ConfigError({
      subject: `unit of ${subject} ${column}`,
      given: `mean ${mean[column]}, standard deviation ${value}`,
      expected: "numbers that f32 holds, which the file has",
      remedy: "Train on data in another unit.",
    });
  });
  // The mean in two parts: what is left of x beside the first is exact in f32, however far the mean is from 0.
  const near = mean.map(Math.fround);
  const rest = mean.map((value, column) => value - (near[column] as number));
  const isExact = rest.every((value) => value === 0);
  const scale = row(std);
  const less = (x: Node, values: readonly number[]) => subtract(x, row(values));
  return {
    toModel: (x: Node) => divide(isExact ? less(x, near) : less(less(x, near), rest), scale),
    toData: (z: Node) => add(multiply(z, scale), row(mean)),
    ofVelocity: (v: Node) => multiply(v, scale),
  };
}

const LARGEST = 2 ** 127;

function isNormal(value: number): boolean {
  return value >= 2 ** -126 && value < LARGEST;
}

function same(x: Node): Node {
  return x;
}
