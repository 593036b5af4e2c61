/** A case of a network: its velocities, tangents, divergences, losses and gradients, computed elsewhere in f64. */
import { gradient } from "../../autodiff/vjp.ts";
import type { NumericArray } from "../../backends/backend.ts";
import { UnsupportedError } from "../../errors.ts";
import { hutchinsonEstimate, jacobianProducts } from "../../flow/divergence.ts";
import { fdm, scaledResidual } from "../../flow/losses/fdm.ts";
import type { PathScheduler } from "../../flow/paths/path.ts";
import { pathScore, pointOnPath, targetVelocity } from "../../flow/paths/path.ts";
import { type Node, type Shape, sizeOf } from "../../graph/node.ts";
import { caseNetworkKinds, networkOfCase } from "../../nn/case-networks.ts";
import { rowsOf } from "../../nn/conditions.ts";
import {
  type ConditionDeclaration,
  flattenParameters,
  type Network,
  parameterLayout,
  parameterViews,
} from "../../nn/network.ts";
import { fromTorch, inTorchLayout, type TorchTensor, torchShape } from "../../nn/torch.ts";
import { divide, subtract } from "../../ops/arithmetic.ts";
import { state } from "../../ops/sources.ts";
import type { CaseErrors } from "../api.ts";
import { type CaseProgram, type CaseValues, type GoldenCase, outputOf, relativeError, scalesOf } from "./case.ts";
import { type CaseTensor, Fields } from "./case-fields.ts";
import { casePaths } from "./mlp-case.ts";

const fieldNames = [
  ...["kind", "name", "network", "config", "loss", "weightsFile", "buffers", "parameters", "weights", "inputs"],
  ...["expected", "grads", "scales", "information"],
];

/** Norms of the gradient of each parameter, by the loss that they are of. */
const norms = { gradNorms: "fdm", cdmGradNorms: "cdm", sliceGradNorms: "slice" } as const;
type LossName = (typeof norms)[keyof typeof norms];

/** The exact divergence takes a run for each dimension. */
const MOST_DIMENSIONS = 4096;

/** What the file says, checked. */
export interface NetworkCase {
  readonly fields: Fields;
  readonly network: Network;
  /** Parameters, flat. */
  readonly flat: Float32Array;
  /** In the order of the norms. */
  readonly names: readonly string[];
  readonly rows: number;
  readonly x0: CaseTensor;
  readonly x1: CaseTensor;
  readonly t: CaseTensor;
  readonly probe: CaseTensor;
  readonly told: ReadonlyMap<string, CaseTensor>;
  readonly path: PathScheduler;
  readonly power: 1 | 2;
  readonly detachVelocity: boolean;
  readonly divergence: number;
}

/**
 * The case that this JSON value is.
 *
 * @param file - what messages call it.
 * @throws {@link DataError} naming the field that is missing or wrong.
 * @throws {@link UnsupportedError} when the network is unknown.
 */
export function networkCase(given: unknown, file: string): GoldenCase {
  const read = readNetworkCase(given, file);
  const { fields } = read;
  const { programs, inputs, quantities } = programsOf(read);
  const expected = expectedOf(fields, read, quantities);
  const grads = gradsOf(fields, read.network);
  const scales = scalesOf(fields, [...expected.keys(), ...grads.keys()]);
  return {
    programs,
    inputs,
    errors: (values) => errorsOf(read, expected, grads, scales, values),
  };
}

/** The network of the case and what it is given, as the file has it. */
export function readNetworkCase(given: unknown, file: string): NetworkCase {
  const fields = new Fields(given, `${file}: `);
  fields.only(fieldNames);
  const kind = fields.value("network");
  if (typeof kind !== "string" || !caseNetworkKinds.includes(kind)) {
    throw new UnsupportedError({
      subject: `${file}: network`,
      given: kind,
      expected: `one that this version of divflow knows: ${caseNetworkKinds.join(", ")}`,
      remedy: "Correct the name, or take a version that has the network.",
    });
  }
  const weights = weightsOf(fields.object("weights"));
  const buffers = fields.texts("buffers");
  const buffer = (name: string) => {
    const tensor = weights.get(name) ?? fields.refuse(`weights.${name}`, "nothing", "the tensor of a buffer");
    return Array.from(tensor.values);
  };
  fields.object("config");
  const network = networkOfCase(kind, fields.value("config"), buffer);
  checkBuffers(fields, network, buffers, weights);
  if (network.dimension > MOST_DIMENSIONS) {
    fields.refuse("config", `${network.dimension} numbers per sample`, `at most ${MOST_DIMENSIONS}`);
  }
  const names = fields.texts("parameters");
  const own = network.parameters.map(({ name }) => name);
  if ([...names].sort().join() !== [...own].sort().join()) {
    const other = names.find((name, i) => !own.includes(name) || names.indexOf(name) !== i);
    const missing = own.find((name) => !names.includes(name));
    fields.refuse("parameters", other ?? `no "${missing}"`, "the network's, each once");
  }
  const trained = new Map([...weights].filter(([name]) => !buffers.includes(name)));
  const flat = fromTorch(trained, parameterLayout(network));
  return {
    fields,
    network,
    flat,
    names,
    ...inputsOf(fields.object("inputs"), network),
    ...lossOf(fields.object("loss")),
  };
}

/** Points, times, the probe, and what the network is told. */
function inputsOf(inputs: Fields, { sample = [], dimension, conditions = {} }: Network) {
  inputs.only(["x0", "x1", "t", "probe", ...Object.keys(conditions)]);
  const own = sample.length > 0 ? sample : [dimension];
  const rows = inputs.tensor("x1").shape[0] ?? 0;
  const points = [rows, ...own];
  if (inputs.tensor("x1").shape.join() !== points.join()) {
    inputs.refuse("x1.shape", inputs.tensor("x1").shape, `[rows, ${own.join(", ")}]`);
  }
  const numbers = (name: string, shape: Shape) => {
    const tensor = inputs.tensor(name, shape);
    return tensor.dtype === "f32" ? tensor : inputs.refuse(`${name}.dtype`, tensor.dtype, "no dtype: it is f32");
  };
  const t = numbers("t", [rows]);
  t.data.forEach((time, i) => {
    if (!(time >= 0 && time < 1)) inputs.refuse(`t.data[${i}]`, time, "a number from 0 to below 1");
  });
  const told = Object.entries(conditions).map(([name, declaration]) => {
    const { shape, classes } = declaration;
    const tensor = classes === undefined ? numbers(name, [rows, ...shape]) : labelsOf(inputs, name, declaration, rows);
    return [name, tensor] as const;
  });
  return {
    ...{ rows, t, told: new Map(told) },
    ...{ x0: numbers("x0", points), x1: numbers("x1", points), probe: numbers("probe", points) },
  };
}

/** A label for each row; where they may be left out, and are, the one that stands for none. */
function labelsOf(inputs: Fields, name: string, declaration: ConditionDeclaration, rows: number): CaseTensor {
  const count = rowsOf(declaration);
  const { drop, classes = 0 } = declaration;
  if (drop && !inputs.has(name)) return { shape: [rows], dtype: "u32", data: new Array<number>(rows).fill(classes) };
  const tensor = inputs.tensor(name, [rows]);
  if (tensor.dtype !== "u32") inputs.refuse(`${name}.dtype`, tensor.dtype, '"u32"');
  const wrong = tensor.data.find((label) => label >= count);
  return wrong === undefined ? tensor : inputs.refuse(name, wrong, `labels below ${count}`);
}

function lossOf(loss: Fields) {
  loss.only(["path", "weight", "power", "divergenceWeight", "detachVelocity"]);
  loss.choice("weight", ["sigma"]);
  const path = casePaths.get(loss.choice("path", [...casePaths.keys()])) as () => PathScheduler;
  return {
    path: path(),
    power: loss.choice("power", [1, 2] as const),
    detachVelocity: loss.choice("detachVelocity", [true, false]),
    divergence: loss.positive("divergenceWeight"),
  };
}

/** The file's tensors: their little-endian f32 in base64. */
function weightsOf(fields: Fields): Map<string, TorchTensor> {
  return new Map(
    fields.names().map((name): [string, TorchTensor] => {
      const tensor = fields.object(name);
      tensor.only(["shape", "base64"]);
      const shape = tensor.shape();
      const bytes = bytesOf(tensor);
      if (bytes.length !== 4 * sizeOf(shape)) {
        tensor.refuse(
          "base64",
          `${bytes.length} bytes`,
          `${4 * sizeOf(shape)}: 4 for each number of [${shape.join(", ")}]`,
        );
      }
      const view = new DataView(bytes.buffer);
      const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => view.getFloat32(4 * i, true));
      const broken = values.findIndex((value) => !Number.isFinite(value));
      if (broken >= 0) tensor.refuse("base64", `${values[broken]} as number ${broken}`, "finite numbers");
      return [name, { shape, values }];
    }),
  );
}

function bytesOf(tensor: Fields): Uint8Array {
  const text = tensor.value("base64");
  if (typeof text !== "string") return tensor.refuse("base64", text, "text");
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return tensor.refuse("base64", text, "base64");
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Refuses a file whose fixed numbers are not those that the network has. */
function checkBuffers(
  fields: Fields,
  { constants = [] }: Network,
  names: readonly string[],
  weights: ReadonlyMap<string, TorchTensor>,
) {
  const own = constants.map(({ name }) => name);
  if ([...names].sort().join() !== [...own].sort().join()) fields.refuse("buffers", names, own.join(", ") || "none");
  for (const { name, values } of constants) {
    // One rounding of f32 apart: they were computed elsewhere.
    if (!(relativeError(weights.get(name)?.values ?? [], values) <= 2 ** -23)) {
      fields.refuse(`weights.${name}`, "other numbers", "those that follow from config");
    }
  }
}

/** The programs, what they read, and the quantities that they write, by name with their sizes. */
function programsOf(given: NetworkCase) {
  const { network, rows, path, power, detachVelocity, divergence, names } = given;
  const points: Shape = [rows, network.dimension];
  const inputs = new Map<string, NumericArray>([["case.parameters", given.flat]]);
  const input = (name: string, { data, dtype }: CaseTensor, shape: Shape) => {
    inputs.set(`case.${name}`, dtype === "u32" ? Uint32Array.from(data) : Float64Array.from(data));
    return state({ name: `case.${name}`, shape, dtype });
  };
  const [x0, x1, probe] = (["x0", "x1", "probe"] as const).map((name) => input(name, given[name], points)) as Three;
  const t = input("t", given.t, [rows, 1]);
  const conditions = new Map([...given.told].map(([name, tensor]) => [name, input(name, tensor, tensor.shape)]));

  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: "case.parameters", shape: [layout.total], dtype: "f32" }), layout);
  const field = (x: Node, times: Node) => network.apply(views, x, times, conditions);
  const at = path.at(t);
  const x = pointOnPath(at, x0, x1);
  const u = targetVelocity(at, x0, x1);
  const v = field(x, t);
  const [product] = jacobianProducts(v, x, [probe]) as [Node];
  const estimate = hutchinsonEstimate(probe, product);

  const context = { network: field, path, x0, x1, t, random: () => probe };
  const residual = fdm({ divergence, power, detachVelocity, form: "residual" }).build(context);
  const slice = fdm({ divergence, power: 2, detachVelocity, form: "slice" }).build(context);
  const quantities = new Map<string, Node>([
    ["x", x],
    ["targetVelocity", u],
    ["score", pathScore(at, x0)],
    ["velocity", v],
    ["jvp", product],
    ["hutchinson", estimate],
    ["residual", divide(scaledResidual(at, estimate, subtract(v, u), x0), at.sigma)],
    ["cfm", residual.velocityLoss],
    ["cdm", residual.divergenceLoss as Node],
    ["fdm", residual.loss],
    ["slice", slice.divergenceLoss as Node],
    ["fdmSlice", slice.loss],
  ]);
  const losses: Readonly<Record<LossName, Node>> = {
    fdm: residual.loss,
    cdm: residual.divergenceLoss as Node,
    slice: slice.divergenceLoss as Node,
  };
  const variables = names.map((name) => views.get(name) as Node);
  const flatGradient = (loss: Node) => {
    const gradients = gradient(loss, variables);
    return flattenParameters(new Map(names.map((name, i) => [name, gradients[i] as Node])), layout);
  };

  // A gradient each, as plans of one step; and J times each unit vector, by one plan for all.
  const direction = state({ name: "case.direction", shape: points, dtype: "f32" });
  const [column] = jacobianProducts(v, x, [direction]) as [Node];
  const programs: CaseProgram[] = [
    { graph: { name: "verify-network", updates: [...quantities].map(([name, node]) => outputOf(name, node)) } },
    ...Object.entries(losses).map(([name, loss]) => ({
      graph: { name: `verify-${name}-gradient`, updates: [outputOf(`${name} gradient`, flatGradient(loss))] },
    })),
    {
      graph: { name: "verify-divergence", updates: [outputOf("column", hutchinsonEstimate(direction, column))] },
      runs: unitVectors(points).map((values) => new Map([["case.direction", values]])),
    },
  ];
  const sizes = new Map([...quantities].map(([name, node]) => [name, sizeOf(node.shape)]));
  return { programs, inputs, quantities: sizes.set("divergence", rows) };
}

type Three = [Node, Node, Node];

/** Each unit vector, in every row. */
function unitVectors([rows = 1, dimension = 1]: Shape): Float64Array[] {
  return Array.from({ length: dimension }, (_, i) =>
    Float64Array.from({ length: rows * dimension }, (_, k) => (k % dimension === i ? 1 : 0)),
  );
}

/** What the file expects, by quantity, each of the size that it has. */
function expectedOf(fields: Fields, { names }: NetworkCase, quantities: ReadonlyMap<string, number>) {
  const expected = fields.object("expected");
  expected.only([...quantities.keys(), ...Object.keys(norms)]);
  return new Map(
    expected.names().map((name) => {
      const tensor = expected.tensor(name);
      const size = quantities.get(name) ?? names.length;
      if (tensor.data.length !== size) expected.refuse(name, `${tensor.data.length} numbers`, `${size} numbers`);
      return [name, tensor.data];
    }),
  );
}

/** The gradients of the file, by parameter, as PyTorch lays them out. */
function gradsOf(fields: Fields, network: Network): Map<string, readonly number[]> {
  const grads = fields.object("grads");
  const byName = new Map(network.parameters.map((each) => [each.name, each]));
  grads.only([...byName.keys()]);
  return new Map(
    network.parameters
      .filter(({ name }) => grads.has(name))
      .map((each) => [`grads.${each.name}`, grads.tensor(each.name, torchShape(each)).data]),
  );
}

function errorsOf(
  { network, names, rows }: NetworkCase,
  expected: ReadonlyMap<string, readonly number[]>,
  grads: ReadonlyMap<string, readonly number[]>,
  scales: ReadonlyMap<string, number>,
  values: CaseValues,
): CaseErrors {
  const { entries } = parameterLayout(network);
  const partOf = (loss: LossName, name: string) => {
    const flat = values.get(`${loss} gradient`)?.[0] ?? new Float64Array();
    const { declaration, offset } = entries.find(
      (entry) => entry.declaration.name === name,
    ) as (typeof entries)[number];
    return inTorchLayout(Float64Array.from(flat.subarray(offset, offset + sizeOf(declaration.shape))), declaration);
  };
  const found = (name: string): ArrayLike<number> => {
    if (Object.hasOwn(norms, name)) {
      const loss = norms[name as keyof typeof norms];
      return names.map((parameter) =>
        Math.sqrt(partOf(loss, parameter).reduce((sum, value) => sum + value * value, 0)),
      );
    }
    if (name.startsWith("grads.")) return partOf("fdm", name.slice("grads.".length));
    if (name !== "divergence") return values.get(name)?.[0] ?? [];
    const columns = values.get("column") ?? [];
    return Array.from({ length: rows }, (_, row) => columns.reduce((sum, one) => sum + (one[row] ?? Number.NaN), 0));
  };
  return Object.fromEntries(
    [...expected, ...grads].map(([name, wanted]) => [name, relativeError(found(name), wanted, scales.get(name))]),
  );
}
