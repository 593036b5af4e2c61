/**
 * Attention and its reverse as dispatches: downloaded with the first program that has such a call. By tiles on GPUs, along one
 * tangent each; on software adapters by rows, along all tangents at once.
 */
import { attentionShaders } from "../../generated/attention-shaders.ts";
import { linearWorkgroups } from "../../kernels/kernel.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall } from "../../schedule/program.ts";
import type { BoundRegion, Dispatch } from "./dispatch.ts";

/**
 * The functions of a file of shaders/ that a text calls, as text: given, since a page has them already and this file is one
 * of its own.
 */
type Declare = (own: string, file: string) => string;

interface Attended {
  readonly dispatches: Dispatch[];
  /** Elements of scratch that they need. */
  readonly scratch: number;
}

/** A dispatch of a call, beside what all of a call's have. */
interface Part {
  readonly entry: string;
  /** The text, without what is bound and read. */
  readonly text: string;
  /** The file whose functions it calls. */
  readonly calls: string;
  readonly constants: readonly string[];
  /** As the text counts them. */
  readonly tangents: number;
  readonly workgroups: Dispatch["workgroups"];
}

/** What each dispatch of the reverse by tiles gives, by number: `PART`; of several tangents again and again. */
export const attentionParts = ["facts", "queries", "keys", "values"] as const;

/** Invocations of a workgroup by rows. */
const INVOCATIONS = 64;

/** @param software - the shaders of software adapters, where attention is to run as it does there. */
export function attentionDispatches(
  call: KernelCall,
  declare: Declare,
  software?: Readonly<Record<string, string>>,
): Attended {
  const { batch = 1, heads = 1, length = 1, tangents = 0 } = call.parameters;
  const isReverse = call.kernel === "attentionReverse";
  const parts = software ? byRows(call, software) : byTiles(call);
  const facts = 3 + 2 * (software ? tangents : Math.min(1, tangents));
  return {
    dispatches: parts.map((part) => dispatchOf(call, part, declare)),
    scratch: isReverse ? batch * heads * length * facts : 0,
  };
}

function byTiles({ kernel, parameters }: KernelCall): Part[] {
  const { width = 1, tangents = 0 } = parameters;
  const fours = Math.ceil(width / 4);
  const quads = 2 ** Math.ceil(Math.log2(fours));
  const text = `${attentionShaders["attention-tiles"]}\n${attentionShaders[kernel]}`;
  const [across, along] = kernels[kernel]!.workgroups(parameters);
  const part = (tangent: number, number: number, layers: number): Part => ({
    ...{ entry: kernel, text, calls: "linear", tangents: tangent, workgroups: [across, along, layers] },
    constants: [
      `const ALONG = ${tangent > 0};`,
      `const ADDS = ${tangent > 1};`,
      `const PART = ${number}u;`,
      `const FOURS = ${fours}u;`,
      `const QUADS = ${quads}u;`,
      `const SPLITS = ${16 / quads}u;`,
    ],
  });
  if (kernel === "attention") return [part(Math.min(1, tangents), 0, Math.max(1, tangents))];
  const each = tangents === 0 ? [0] : Array.from({ length: tangents }, (_, t) => t + 1);
  return each.flatMap((tangent) => attentionParts.map((_, number) => part(tangent, number, 1)));
}

function byRows({ kernel, parameters }: KernelCall, software: Readonly<Record<string, string>>): Part[] {
  const { batch = 1, heads = 1, length = 1, width = 1, tangents = 0 } = parameters;
  const constants = [
    `const FOURS = ${Math.ceil(width / 4)}u;`,
    `const TANGENTS = ${tangents}u;`,
    `const SLOTS = ${Math.max(1, tangents)}u;`,
  ];
  const text = software[`${kernel}-rows`] as string;
  const workgroups = linearWorkgroups(batch * heads * length, INVOCATIONS);
  const entries = kernel === "attention" ? ["attention"] : ["ofQueries", "ofKeys"];
  return entries.map((entry) => ({ entry, text, calls: "elementwise", constants, tangents, workgroups }));
}

function dispatchOf({ kernel, label, parameters, bindings }: KernelCall, part: Part, declare: Declare): Dispatch {
  const { entry, text, calls, constants, tangents, workgroups } = part;
  const declaration = kernels[kernel]!;
  const { width = 1, kindStride = 0, headStride = 0 } = parameters;
  const names = Object.keys(declaration.bindings);
  const offsets = Object.fromEntries(names.map((name) => [`${name}Offset`, bindings[name]!.offset]));
  const isWhole = [width, kindStride, headStride, ...Object.values(offsets)].every((size) => size % 4 === 0);
  const scratch: BoundRegion[] = kernel === "attention" ? [] : [{ region: { kind: "scratch" }, access: "write" }];
  const variable = (name: string, k: number, access: string, type = isWhole ? "vec4f" : "f32") =>
    `@group(0) @binding(${k + 1}) var<storage, ${access}> ${name}: array<${type}>;`;
  const own = [
    ...constants,
    ...names.map((name, k) => variable(name, k, name === "out" ? "read_write" : "read")),
    ...scratch.map((_, k) => variable("facts", names.length + k, "read_write", "f32")),
    ...names.map((name) => reader(name, isWhole)),
    ...(names.includes("cotangents") ? [] : ["fn cotangentsFour(at: u32, i: u32) -> vec4f {\n  return vec4f();\n}"]),
    writer(isWhole),
    text,
  ].join("\n");
  return {
    label,
    kernel: entry,
    code: `${declare(own, calls)}\n${own}`,
    constants: {},
    parameters: packParameters(declaration, { ...parameters, ...offsets, tangents }),
    bindings: [
      ...names.map((name): BoundRegion => {
        return { region: bindings[name]!.region, access: declaration.bindings[name]!.access };
      }),
      ...scratch,
    ],
    workgroups,
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
