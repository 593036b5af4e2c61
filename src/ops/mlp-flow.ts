/**
 * mlpFlow: points carried by many steps of an explicit Runge-Kutta method through the velocity field of a multi-layer
 * perceptron, with their log-densities. A composite with a kernel of its own where a backend has it
 * (src/kernels/mlp-flow.ts says what of which shapes): in primitives it is a fixed-step solver's step, repeated.
 */
import { ConfigError, UnsupportedError } from "../errors.ts";
import { type Node, type Shape, sameShape } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { type ActivationKind, activation } from "./activation.ts";
import { expectDTypes } from "./elementwise.ts";
import { table } from "./sources.ts";

export interface MlpFlowAttributes {
  /** Number of points, S. */
  readonly rows: number;
  /** Numbers per point, D. */
  readonly dimension: number;
  /** Widths of the hidden layers, at least one. */
  readonly hidden: readonly number[];
  readonly activation: ActivationKind;
  /** Stage i is at x + a[i] h k_(i-1) and t + c[i] h, stage 0 at x and t; the step is x + h sum b[i] k_i. */
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly c: readonly number[];
  /** Directions z that -z.(J z) is added up along, J = dv/dx; 0: no log-density. */
  readonly probes: number;
  /** Whether they are the D unit vectors, for one log-density; else there is one for each. */
  readonly exact: boolean;
}

/** Where a layer lies in the network's flat vector: its weight [inputs, outputs] and bias [outputs]. */
export interface FlowLayer {
  readonly outputs: number;
  readonly weight: number;
  readonly bias: number;
}

/** Log-densities of a point: 1 when exact, else one for each probe. */
export function flowColumns({ probes, exact }: Pick<MlpFlowAttributes, "probes" | "exact">): number {
  return exact ? 1 : probes;
}

/** Elements of `flow`: points, log-densities, and what each of them lacks by rounding. */
export function flowSize(attributes: Pick<MlpFlowAttributes, "rows" | "dimension" | "probes" | "exact">): number {
  return 2 * attributes.rows * (attributes.dimension + flowColumns(attributes));
}

/** The inputs are [flow, parameters, layers, times, range] and, with probes that are not exact, [..., probe]. */
export const mlpFlowOp = defineOp<MlpFlowAttributes>({
  name: "mlpFlow",
  shape: (shapes, attributes) => {
    const { rows, dimension, hidden, a, b, c, probes, exact } = attributes;
    const [flow, , layers, times, range, probe] = shapes as Shape[];
    const expected: (Shape | undefined)[] = [
      [flowSize(attributes)],
      undefined,
      [hidden.length + 1, 3],
      undefined,
      [2],
      ...(probes > 0 && !exact ? [[probes, rows, dimension]] : []),
    ];
    const fits =
      shapes.length === expected.length &&
      shapes.every((shape, i) => !expected[i] || sameShape(shape, expected[i])) &&
      [a, b, c].every(({ length }) => length === a.length) &&
      (!exact || probes === dimension);
    if (fits) return flow as Shape;
    throw new ConfigError({
      subject: "inputs of mlpFlow",
      given: { flow, layers, times, range, probe, stages: [a.length, b.length, c.length] },
      expected: "points, log-densities, layers, probes and stages that agree",
      remedy: "Make the node by the function mlpFlow.",
    });
  },
  dtype: (given) =>
    expectDTypes("mlpFlow", given, ["f32", "f32", "u32", "f32", "u32", "f32"].slice(0, given.length) as "f32"[], "f32"),
  jvp: () => refuseDerivative(),
  vjp: () => refuseDerivative(),
  reference: (inputs, attributes, shape) => {
    const [flow, , , times, range, probe] = inputs.map(({ data }) => data) as Float64Array[];
    const { rows, dimension, a, b, c, probes, exact } = attributes;
    const columns = flowColumns(attributes);
    const data = Float64Array.from(flow as Float64Array);
    const lost = data.subarray(rows * (dimension + columns));
    /** Adds to the number of this place, what it lacks to the next sum: {@link addCompensated} in f64. */
    const grow = (place: number, value: number) => {
      const total = data[place] as number;
      const term = value + (lost[place] as number);
      const sum = total + term;
      const arrived = sum - total;
      data[place] = sum;
      lost[place] = total - (sum - arrived) + (term - arrived);
    };
    const [first, count] = range as Float64Array;
    for (let row = 0; row < rows; row++) {
      const x = data.subarray(row * dimension, (row + 1) * dimension);
      const firstDensity = rows * dimension + row * columns;
      const directions = Array.from({ length: probes }, (_, p) => {
        if (exact) return Float64Array.from(x, (_value, i) => (i === p ? 1 : 0));
        const start = (p * rows + row) * dimension;
        return (probe as Float64Array).slice(start, start + dimension);
      });
      for (let step = first as number; step < (first as number) + (count as number); step++) {
        const time = times?.[step] as number;
        const size = (times?.[step + 1] as number) - time;
        const change = new Float64Array(dimension);
        let velocity = new Float64Array(dimension);
        b.forEach((weight, stage) => {
          const factor = stage === 0 ? 0 : size * (a[stage] as number);
          const point = x.map((value, i) => value + factor * (velocity[i] as number));
          const at = time + size * (c[stage] as number);
          const field = fieldAt(inputs, attributes.activation, point, at, directions);
          velocity = field.velocity;
          velocity.forEach((value, i) => {
            change[i] = (change[i] as number) + weight * value;
          });
          field.products.forEach((product, p) => {
            grow(firstDensity + (exact ? 0 : p), -size * weight * dot(directions[p] as Float64Array, product));
          });
        });
        change.forEach((value, i) => {
          grow(row * dimension + i, size * value);
        });
      }
    }
    return { shape, data };
  },
});

export const mlpFlowCases: OpCases<MlpFlowAttributes> = () => [
  flowCase({
    rows: 3,
    dimension: 2,
    hidden: [5],
    activation: "silu",
    a: [0],
    b: [1],
    c: [0],
    probes: 0,
    exact: false,
  }),
  flowCase({
    ...{ rows: 1, dimension: 1, hidden: [1, 3], activation: "tanh", probes: 1, exact: true },
    ...{ a: [0, 1], b: [1 / 2, 1 / 2], c: [0, 1] },
  }),
  flowCase({
    ...{ rows: 5, dimension: 3, hidden: [4, 7], activation: "softplus", probes: 2, exact: false },
    ...{ a: [0, 1 / 2, 1 / 2, 1], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6], c: [0, 1 / 2, 1 / 2, 1] },
  }),
  flowCase({
    ...{ rows: 2, dimension: 4, hidden: [6], activation: "gelu", probes: 4, exact: true },
    ...{ a: [0, 1 / 2], b: [0, 1], c: [0, 1 / 2] },
  }),
];

/** The layers of a network laid out weight, bias, weight, bias, ... */
export function consecutiveLayers(
  dimension: number,
  hidden: readonly number[],
): { layers: FlowLayer[]; total: number } {
  let total = 0;
  const layers = [...hidden, dimension].map((outputs, k): FlowLayer => {
    const weight = total;
    const bias = weight + (k === 0 ? dimension + 1 : (hidden[k - 1] as number)) * outputs;
    total = bias + outputs;
    return { outputs, weight, bias };
  });
  return { layers, total };
}

/** Two steps, from the second time on. */
function flowCase(attributes: MlpFlowAttributes) {
  const { rows, dimension, hidden, probes, exact } = attributes;
  const { layers, total } = consecutiveLayers(dimension, hidden);
  const shapes: Shape[] = [[flowSize(attributes)], [total], [layers.length, 3], [4], [2]];
  return {
    shapes: probes > 0 && !exact ? [...shapes, [probes, rows, dimension]] : shapes,
    integers: { 2: layerWords(layers), 4: [1, 2] },
    domain: (x: number, input: number) => (input === 3 ? x / 4 : x),
    attributes,
    derivatives: 0,
  };
}

export function layerWords(layers: readonly FlowLayer[]): number[] {
  return layers.flatMap(({ outputs, weight, bias }) => [outputs, weight, bias]);
}

/** v [D] at a point and time, and J z [D] for each direction z. */
function fieldAt(
  inputs: readonly HostTensor[],
  kind: ActivationKind,
  point: Float64Array,
  time: number,
  directions: readonly Float64Array[],
) {
  const [, parameters, layers] = inputs.map(({ data }) => data) as [unknown, Float64Array, Float64Array];
  let h = Float64Array.of(...point, time);
  let tangents = directions.map((z) => Float64Array.of(...z, 0));
  const count = layers.length / 3;
  for (let layer = 0; layer < count; layer++) {
    const [outputs, weight, bias] = layers.subarray(3 * layer, 3 * layer + 3) as unknown as [number, number, number];
    const product = (from: Float64Array) =>
      Float64Array.from({ length: outputs }, (_, j) =>
        from.reduce((sum, value, i) => sum + value * (parameters[weight + i * outputs + j] as number), 0),
      );
    h = product(h).map((value, j) => value + (parameters[bias + j] as number));
    tangents = tangents.map(product);
    if (layer === count - 1) break;
    const shape = [outputs];
    const [value, slope] = [0, 1].map(
      (order) => activation.op.reference([{ shape, data: h }], { kind, order }, shape).data,
    );
    tangents = tangents.map((tangent) => tangent.map((each, j) => each * (slope?.[j] as number)));
    h = Float64Array.from(value as Float64Array);
  }
  return { velocity: h, products: tangents };
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

function refuseDerivative(): never {
  throw new UnsupportedError({
    subject: "derivative of mlpFlow",
    given: "a jvp or vjp",
    expected: "its value only",
    remedy: "Differentiate a step in primitives: the plan of a fixed-step solver.",
  });
}

export interface MlpFlowInputs {
  /** [2 S (D + columns)]: points [S, D], log-densities [S, columns], and what each lacks; see {@link flowColumns}. */
  readonly flow: Node;
  /** The network's flat vector. */
  readonly parameters: Node;
  /** Of the hidden layers and the last. */
  readonly layers: readonly FlowLayer[];
  /** The grid [n + 1]: step i goes from times[i] to times[i + 1]. */
  readonly times: Node;
  /** u32 [2]: the first step and how many; all on the grid. */
  readonly range: Node;
  /** [P, S, D]: directions; left out when exact or when there are none. */
  readonly probe?: Node | undefined;
}

/**
 * Points and log-densities after some steps of dx/dt = v(x, t), d(log-density)/dt = -z.(J z).
 *
 * @returns [2 S (D + columns)], laid out as `flow`.
 * @throws {@link ConfigError} when shapes do not fit the attributes.
 */
export function mlpFlow(
  { flow, parameters, layers, times, range, probe }: MlpFlowInputs,
  attributes: MlpFlowAttributes,
) {
  const words = table(layerWords(layers), [layers.length, 3], "u32");
  return mlpFlowOp([flow, parameters, words, times, range, ...(probe ? [probe] : [])], attributes);
}
