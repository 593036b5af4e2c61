/**
 * Many products as one dispatch: the kernels of one product (linear-*.wgsl), whose z counts products here and not segments
 * of the depth, with operands that are found by strides.
 */
import { shaders } from "../../generated/shaders.ts";
import { matmulEach } from "../../kernels/matmul-each.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import type { KernelCall } from "../../schedule/program.ts";
import { declarationsFor, uniformOf } from "./declarations.ts";
import type { Dispatch } from "./dispatch.ts";
import { chooseLinear, type DeviceTraits, type LinearKernel, linearGrid, type ProductShape } from "./linear-choice.ts";

/** @param software - kernels that only software adapters run. */
export function matmulEachDispatch(
  { label, parameters, bindings }: KernelCall,
  traits: DeviceTraits,
  software: Readonly<Record<string, string>> = {},
): Dispatch {
  const { batch0 = 1, batch1 = 1, rows = 1, columns = 1, depth = 1 } = parameters;
  const chosen = chosenKernel({ rows, columns, depth, groups: 1 }, batch0 * batch1, traits);
  const text = ((shaders[chosen] ?? software[chosen]) as string).replaceAll("depthOf(", "startOf(");
  const offsets = Object.fromEntries(
    Object.keys(matmulEach.bindings).map((name) => [`${name}Offset`, bindings[name]!.offset]),
  );
  const operands = ["left", "right"].map((name) => operand(name, { ...parameters, ...offsets }));
  const copies = text.includes("params=uniforms");
  const own = [
    "const GROUPS = 1u;",
    "const SUMS = false;",
    `const LEFT_TRANSPOSED = ${operands[0]!.isTurned};`,
    `const RIGHT_TRANSPOSED = ${operands[1]!.isTurned};`,
    `const DEPTH_IS_WHOLE = ${depth % 16 === 0};`,
    ...operands.map(({ code }) => code),
    "var<private> outStart: u32;",
    "fn startOf(product: u32, products: u32) -> vec2u {",
    "  let n = product / params.batch1;",
    "  let m = product % params.batch1;",
    ...["left", "right", "out"].map(
      (name) => `  ${name}Start = params.${name}Offset + n * params.${name}0 + m * params.${name}1;`,
    ),
    "  return vec2u(0u, params.depth);",
    "}",
    "fn finish(product: u32, row: u32, column: u32, sum0: f32, sum1: f32) {",
    "  result[outStart + row * params.outRow + column] = params.scale * sum0;",
    "}",
    "fn finishSum(product: u32, column: u32, sum: f32) {}",
    text,
  ].join("\n");
  const fields = Object.entries({ ...matmulEach.parameters, sumsDepth: "u32" });
  const code = [
    uniformOf("MatmulEachParameters", fields, copies ? "uniforms" : "params"),
    ...(copies ? ["var<private> params: MatmulEachParameters;"] : []),
    ...operands.map(({ name, type }, k) => `@group(0) @binding(${k + 1}) var<storage, read> ${name}: ${type};`),
    "@group(0) @binding(3) var<storage, read_write> result: array<f32>;",
    ...declarationsFor(own, [shaders["linear"]!, software["linear-shared"] ?? ""]),
    own,
  ].join("\n");
  const [across, along] = linearGrid(nameOf(chosen), { rows, columns, depth, groups: 1 });
  return {
    label,
    kernel: "linear", // the entry point
    code,
    constants: {},
    parameters: Uint32Array.of(...packParameters(matmulEach, { ...parameters, ...offsets }), 0),
    bindings: Object.keys(matmulEach.bindings).map((name) => {
      return { region: bindings[name]!.region, access: name === "out" ? "write" : "read" };
    }),
    workgroups: [across, along, batch0 * batch1],
  };
}

const nameOf = (file: string) => file.replace("linear-", "") as LinearKernel;

/** By the shape of one product and how many there are; a panel of `right` for many rows is no use to small ones. */
function chosenKernel(shape: ProductShape, count: number, { software }: DeviceTraits): string {
  const { kernel, segments } = chooseLinear({ ...shape, rows: shape.rows * count }, { software });
  const isNarrow = kernel === "tile" && (segments > 1 || Math.min(shape.rows, shape.columns) <= 32); // these take none
  const isLow = kernel === "registers" && shape.rows <= 4;
  return `linear-${isNarrow ? "small" : isLow ? "strip" : kernel}`;
}

/** Reads `left` or `right` along its lines in memory: by whole quads where these are aligned. */
function operand(name: string, parameters: Readonly<Record<string, number>>) {
  const of = (field: string) => parameters[`${name}${field}`] as number;
  const [line, along] = name === "left" ? ["Row", "Depth"] : ["Depth", "Column"];
  const isTurned = of(along as string) !== 1 && parameters[name === "left" ? "depth" : "columns"] !== 1;
  const step = isTurned ? along : line;
  const whole = [of("0"), of("1"), of(step as string), of("Offset")].every((elements) => elements % 4 === 0);
  const reads = [0, 1, 2, 3].map((k) => `${name}[i + ${k}u]`).join(", ");
  const code = [
    `var<private> ${name}Start: u32;`,
    `fn ${name}Four(line: u32, at: u32, width: u32) -> vec4f {`,
    `  let i = ${name}Start + line * params.${name}${step} + at;`,
    `  return ${whole ? `${name}[i >> 2u]` : `vec4f(${reads})`};`,
    "}",
  ].join("\n");
  return { name, type: `array<${whole ? "vec4f" : "f32"}>`, isTurned, code };
}
