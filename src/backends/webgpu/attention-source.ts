/** Attention and its reverse as dispatches: downloaded with the first program that has such a call. */
import { attentionShaders } from "../../generated/attention-shaders.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall } from "../../schedule/program.ts";
import type { BoundRegion, Dispatch } from "./dispatch.ts";

/** The functions that a text calls, as text: given, since a page has them already and this file is one of its own. */
type Declare = (own: string) => string;

/** The dispatches of a call, and the elements of scratch that they need. */
export function attentionDispatches(call: KernelCall, declare: Declare): { dispatches: Dispatch[]; scratch: number } {
  const { batch = 1, heads = 1, length = 1, tangents = 0 } = call.parameters;
  if (call.kernel === "attention") return { dispatches: [dispatchOf(call, declare, "attention", [])], scratch: 0 };
  const facts: BoundRegion = { region: { kind: "scratch" }, access: "write" };
  return {
    dispatches: ["ofQueries", "ofKeys"].map((entry) => dispatchOf(call, declare, entry, [facts])),
    scratch: batch * heads * length * (3 + 2 * tangents),
  };
}

/** @param scratch - what is bound beside the call's operands, as `facts`. */
function dispatchOf(
  { kernel, label, parameters, bindings }: KernelCall,
  declare: Declare,
  entry: string,
  scratch: readonly BoundRegion[],
): Dispatch {
  const declaration = kernels[kernel]!;
  const { width = 1, tangents = 0, kindStride = 0, headStride = 0 } = parameters;
  const names = Object.keys(declaration.bindings);
  const offsets = Object.fromEntries(names.map((name) => [`${name}Offset`, bindings[name]!.offset]));
  const isWhole = [width, kindStride, headStride, ...Object.values(offsets)].every((size) => size % 4 === 0);
  const variable = (name: string, k: number, access: string, type = isWhole ? "vec4f" : "f32") =>
    `@group(0) @binding(${k + 1}) var<storage, ${access}> ${name}: array<${type}>;`;
  const own = [
    `const FOURS = ${Math.ceil(width / 4)}u;`,
    `const TANGENTS = ${tangents}u;`,
    `const SLOTS = ${Math.max(1, tangents)}u;`,
    ...names.map((name, k) => variable(name, k, name === "out" ? "read_write" : "read")),
    ...scratch.map((_, k) => variable("facts", names.length + k, "read_write", "f32")),
    ...names.map((name) => (name === "out" ? writer(isWhole) : reader(name, isWhole))),
    attentionShaders[kernel]!,
  ].join("\n");
  return {
    label,
    kernel: entry,
    code: `${declare(own)}\n${own}`,
    constants: {},
    parameters: packParameters(declaration, { ...parameters, ...offsets }),
    bindings: [
      ...names.map((name): BoundRegion => {
        return { region: bindings[name]!.region, access: declaration.bindings[name]!.access };
      }),
      ...scratch,
    ],
    workgroups: declaration.workgroups(parameters),
  };
}

/** Elements 4 i .. 4 i + 3 of a head's, 0 past its width. */
function reader(name: string, isWhole: boolean): string {
  const elements = [1, 2, 3].map((k) => `select(0.0, ${name}[begin + ${k}u], left > ${k}u)`).join(", ");
  const body = isWhole
    ? `return ${name}[(at >> 2u) + i];`
    : `let begin = at + 4u * i;\n  let left = params.width - 4u * i;\n  return vec4f(${name}[begin], ${elements});`;
  return `fn ${name}Four(at: u32, i: u32) -> vec4f {\n  ${body}\n}`;
}

function writer(isWhole: boolean): string {
  const elements = [0, 1, 2, 3].map((k) => `if (left > ${k}u) { out[begin + ${k}u] = four[${k}]; }`).join("\n  ");
  const body = isWhole
    ? "out[(at >> 2u) + i] = four;"
    : `let begin = at + 4u * i;\n  let left = params.width - 4u * i;\n  ${elements}`;
  return `fn keepFour(at: u32, i: u32, four: vec4f) {\n  ${body}\n}`;
}
