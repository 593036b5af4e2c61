/**
 * A matrix product as shaders: one of the hand-written kernels linear-*.wgsl of shaders/ and shaders/software/, the
 * functions of shaders/linear.wgsl that it calls, and `finish`: what becomes of an element, put together as for
 * elementwise chains.
 */
import { shaders } from "../../generated/shaders.ts";
import { linearWorkgroups, MAX_WORKGROUPS } from "../../kernels/kernel.ts";
import { linear } from "../../kernels/linear.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import type { ElementwiseChain, KernelCall, Placement } from "../../schedule/program.ts";
import { chainFunctions, chainSource, unscaled } from "./chain-source.ts";
import { declarationsFor, uniformOf, withDirectives } from "./declarations.ts";
import { type BoundRegion, type Dispatch, isHalf, regionKey, type ScratchRegion } from "./dispatch.ts";
import { isForCPUs, type LinearChoice, linearGrid } from "./linear-choice.ts";
import { lineWidth, readerOf } from "./linear-operand.ts";
import type { networkForms } from "./network-forms.ts";

/** A storage binding: its WGSL type, and what is bound. */
export interface Bound extends BoundRegion {
  readonly name: string;
  readonly type: string;
}

/** What is done with the sums: text that defines `finish` and `finishSum`, and what that text needs. */
interface Finish {
  readonly code: string;
  readonly bindings: readonly Bound[];
  readonly fields: ReadonlyMap<string, number>;
  readonly groups: number;
}

/** What calls need whose left operand is seen through a window. */
export type WindowForms = Pick<typeof networkForms, "windowFunctions" | "windowShader"> | undefined;

/** Functions beside those that all products may use. */
interface SharedForms {
  readonly windows?: WindowForms;
  readonly shared?: string | undefined;
}

const scratch: ScratchRegion = { kind: "scratch" };

/**
 * The product's dispatches: one, or one for all segments and one that joins them.
 *
 * @param text - of the kernel.
 * @param shared - functions that it may use beside those of shaders/linear.wgsl.
 */
export function linearDispatches(
  call: KernelCall,
  choice: LinearChoice,
  text: string,
  windows: WindowForms,
  shared?: string,
): Dispatch[] {
  const { kernel, segments, mostAlong = MAX_WORKGROUPS } = choice;
  const { rows = 1, columns = 1, depth = 1 } = call.parameters;
  const finish = epilogue(call);
  const groups = segments === 1 ? finish.groups : 1;
  const [across, along] = linearGrid(kernel, { rows, columns, depth, groups });
  const times = Math.ceil(along / mostAlong);
  const folded = times === 1 ? text : foldedText(text, across, times);
  const product = (last: Finish) =>
    productDispatch(call, folded, { software: isForCPUs(kernel), windows, shared }, last, [
      ...([across * times, Math.ceil(along / times)] as const),
      segments,
    ]);
  if (segments === 1) return [product(finish)];
  return [product(partialSums(segments)), joinDispatch(call, finish, segments)];
}

/**
 * The kernel for more workgroups along rows than an axis takes: `times` of them lie beside each other, `across` wide each.
 * Its tile is what it was; only where it comes from is another.
 */
function foldedText(text: string, across: number, times: number): string {
  // By workgroups, or by invocations of workgroups of 4 by 2.
  const [wide, high] = text.includes("@builtin(workgroup_id)tile:") ? [across, 1] : [4 * across, 2];
  const row = `(folded.y / ${high}u * ${times}u + folded.x / ${wide}u) * ${high}u + folded.y % ${high}u`;
  return text
    .replace(/_id\)tile:vec3u/, "_id)folded:vec3u")
    .replace(/(fn linear\([^{]*\{)/, `$1\nlet tile = vec3u(folded.x % ${wide}u, ${row}, folded.z);`);
}

/** Elements of scratch that a product in segments takes. */
export function linearScratch({ parameters }: KernelCall, segments: number): number {
  const { rows = 1, columns = 1, sumsDepth = 0 } = parameters;
  return segments === 1 ? 0 : segments * columns * (rows + (sumsDepth > 0 ? 1 : 0));
}

function productDispatch(
  call: KernelCall,
  text: string,
  { software, windows, shared }: SharedForms & { readonly software: boolean },
  finish: Finish,
  workgroups: readonly [number, number, number],
): Dispatch {
  const { depth = 1, transposeLeft = 0, transposeRight = 0 } = call.parameters;
  const [left, right] = [operand(call, "left"), operand(call, "right")];
  return linearDispatch(call, text, finish, {
    bindings: [left.bound, right.bound],
    code: [
      `const LEFT_TRANSPOSED = ${transposeLeft === 1};`,
      `const RIGHT_TRANSPOSED = ${transposeRight === 1};`,
      `const DEPTH_IS_WHOLE = ${depth % 16 === 0};`,
      ...(windows?.windowFunctions(call, software) ?? []),
      left.code,
      right.code,
    ],
    windows,
    shared,
    workgroups,
  });
}

/** Reads `left` or `right`: by whole quads where these are aligned. */
function operand(call: KernelCall, name: "left" | "right") {
  const { region, offset } = call.bindings[name] as Placement;
  const byQuads = lineWidth(call, name) % 4 === 0 && offset % 4 === 0;
  const [element, quad] = isHalf(region) ? ["f16", "vec4h"] : ["f32", "vec4f"];
  const bound: Bound = { name, type: `array<${byQuads ? quad : element}>`, region, access: "read" };
  const reader = readerOf(call, name, byQuads ? "Quad" : "Elements");
  return {
    bound,
    code: `fn ${name}Four(line: u32, at: u32, width: u32) -> vec4f {\n  return ${reader}(line, at, width);\n}`,
  };
}

function joinDispatch(call: KernelCall, finish: Finish, segments: number): Dispatch {
  const { rows = 1, columns = 1, sumsDepth = 0 } = call.parameters;
  const outputs = (rows * columns) / finish.groups + (sumsDepth > 0 ? columns : 0);
  const joined = { ...finish, fields: new Map([...finish.fields, ["segments", segments]]) };
  return linearDispatch(call, shaders["linear-join"]!, joined, {
    bindings: [{ name: "partial", type: "array<f32>", region: scratch, access: "read" }],
    code: [],
    workgroups: linearWorkgroups(outputs, 64),
  });
}

/** What segments leave: each a product in scratch, then each its column sums. */
function partialSums(segments: number): Finish {
  return {
    code: [
      "fn finish(segment: u32, row: u32, column: u32, sum0: f32, sum1: f32) {",
      "  partial[(segment * params.rows + row) * params.columns + column] = sum0;",
      "}",
      "fn finishSum(segment: u32, column: u32, sum: f32) {",
      "  partial[(params.segments * params.rows + segment) * params.columns + column] = sum;",
      "}",
    ].join("\n"),
    bindings: [{ name: "partial", type: "array<f32>", region: scratch, access: "write" }],
    fields: new Map([["segments", segments]]),
    groups: 1,
  };
}

/** Bias, chain and column sums of the call. */
function epilogue(call: KernelCall): Finish {
  const { columns = 1, biasRows = 0, groups = 1 } = call.parameters;
  const { regions, fields, lines } = chainSource(call.chain ?? chainOf(call), columns);
  const bindings: Bound[] = regions.map(({ region, type, written }, k) => {
    return { name: `region${k}`, type, region, access: written ? "write" : "read" };
  });
  const operands = [call.bindings["left"]!, call.bindings["right"]!];
  const product = (group: number) => {
    const row = group === 0 ? "row" : `row + ${group}u * (params.rows / GROUPS)`;
    const sum = unscaled(`sum${group}`, ...operands);
    return `let product${group} = ${biasRows > 0 ? `biased(${row}, column, ${sum})` : sum};`;
  };
  const code = [
    "fn finish(segment: u32, row: u32, column: u32, sum0: f32, sum1: f32) {",
    "  let i = row * params.columns + column;",
    ...Array.from({ length: groups }, (_, group) => `  ${product(group)}`),
    ...lines.map((line) => `  ${line}`),
    "}",
    "fn finishSum(segment: u32, column: u32, sum: f32) {",
    ...sumStore(call, bindings),
    "}",
  ].join("\n");
  const bias = call.bindings["bias"];
  if (biasRows > 0 && bias) bindings.push({ name: "bias", type: "array<f32>", region: bias.region, access: "read" });
  return { code, bindings, fields, groups };
}

/** The statement that keeps a column sum; binds its region too, where the chain does not. */
function sumStore({ parameters, bindings: placements }: KernelCall, bindings: Bound[]): string[] {
  const sums = placements["sums"];
  if (!sums || !parameters["sumsDepth"]) return [];
  let name = bindings.find(({ region }) => regionKey(region) === regionKey(sums.region))?.name;
  if (!name) {
    name = `region${bindings.length}`;
    bindings.push({ name, type: "array<u32>", region: sums.region, access: "write" });
  }
  return [`  ${name}[params.sumsOffset + column] = bitcast<u32>(${unscaled("sum", placements["right"]!)});`];
}

/** What a call without a chain does with its product: stores it. */
export function chainOf({ parameters: { rows = 1, columns = 1 }, bindings }: KernelCall): ElementwiseChain {
  const stores = [{ placement: bindings["out"]!, source: { from: "product", index: 0 }, dtype: "f32" }] as const;
  return { count: rows * columns, loads: [], steps: [], stores };
}

/** A shader of a product, with what its last steps are. */
export function linearDispatch(
  call: KernelCall,
  text: string,
  finish: Finish,
  kernel: {
    readonly directives?: string;
    readonly bindings: readonly Bound[];
    readonly code: readonly string[];
    readonly workgroups: readonly [number, number, number];
  } & SharedForms,
): Dispatch {
  const bindings = [...kernel.bindings, ...finish.bindings];
  const offsets = Object.fromEntries(
    Object.keys(linear.bindings).map((name) => [`${name}Offset`, call.bindings[name]?.offset ?? 0]),
  );
  const declared = packParameters(linear, { ...call.parameters, ...offsets });
  const copies = text.includes("params=uniforms");
  const own = [
    `const GROUPS = ${finish.groups}u;`,
    `const SUMS = ${(call.parameters["sumsDepth"] ?? 0) > 0};`,
    ...kernel.code,
    finish.code,
    text,
  ].join("\n");
  const code = [
    ...(kernel.directives ? [kernel.directives] : []),
    uniformOf(
      "LinearParameters",
      [...Object.keys(linear.parameters), ...finish.fields.keys()].map((name) => [name, "u32"] as const),
      copies ? "uniforms" : "params",
    ),
    ...(copies ? ["var<private> params: LinearParameters;"] : []),
    ...bindings.map(({ name, type, access }, k) => {
      const mode = access === "write" ? "read_write" : "read";
      return `@group(0) @binding(${k + 1}) var<storage, ${mode}> ${name}: ${type};`;
    }),
    ...declarationsFor(own, [
      shaders["linear"]!,
      kernel.windows?.windowShader ?? "",
      kernel.shared ?? "",
      ...chainFunctions,
    ]),
    own,
  ].join("\n");
  return {
    label: call.label,
    kernel: "linear",
    code: withDirectives(code),
    constants: {},
    parameters: Uint32Array.of(...declared, ...finish.fields.values()),
    bindings: bindings.map(({ name: _, type: __, ...bound }) => bound),
    workgroups: kernel.workgroups,
  };
}
