/**
 * A fused elementwise chain as WGSL: calls, one line a step, of the hand-written functions of shaders/elementwise.wgsl,
 * of which it takes those it needs. Sizes and offsets are parameters, so chains that differ only in these share code.
 *
 * Each region that the chain touches is bound once, for reading and writing, as bits: it may hold f32 and u32.
 */
import { shaders } from "../../generated/shaders.ts";
import { elementwiseFunctions } from "../../kernels/elementwise.ts";
import { linearWorkgroups } from "../../kernels/kernel.ts";
import type {
  ElementwiseChain,
  ElementwiseLoad,
  ElementwiseOperand,
  ElementwiseStep,
  Region,
} from "../../schedule/program.ts";
import { type Dispatch, regionKey } from "./dispatch.ts";

type DType = ElementwiseStep["dtype"];

const WORKGROUP_SIZE = 64;

export function elementwiseDispatch(label: string, chain: ElementwiseChain): Dispatch {
  const regions = regionsOf(chain);
  const bindingOf = (region: Region) => `region${[...regions.keys()].indexOf(regionKey(region))}`;
  const fields = new Map<string, number>([["count", chain.count]]);
  const parameter = (name: string, value: number) => {
    fields.set(name, value);
    return `params.${name}`;
  };

  const lines = chain.loads.map((load, k) => {
    const at = `${bindingOf(load.placement.region)}[${indexOf(load, chain.count, `load${k}`, parameter)}]`;
    return `let load${k} = ${fromBits(at, load.dtype)};`;
  });
  chain.steps.forEach((step, k) => {
    lines.push(`let step${k} = ${callOf(step, k)};`);
  });
  chain.stores.forEach(({ placement, source, dtype }, k) => {
    const at = `${parameter(`store${k}Offset`, placement.offset)} + i`;
    lines.push(`${bindingOf(placement.region)}[${at}] = ${toBits(textOf(source, dtype), dtype)};`);
  });

  const code = [
    `struct ElementwiseParameters {\n${[...fields.keys()].map((name) => `  ${name}: u32,`).join("\n")}\n}`,
    "@group(0) @binding(0) var<uniform> params: ElementwiseParameters;",
    ...[...regions.keys()].map(
      (_, k) => `@group(0) @binding(${k + 1}) var<storage, read_write> region${k}: array<u32>;`,
    ),
    ...functionsFor(lines.join("\n")),
    `@compute @workgroup_size(${WORKGROUP_SIZE})`,
    "fn elementwise(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {",
    `  let i = (workgroup.x + workgroup.y * 65535u) * ${WORKGROUP_SIZE}u + index;`,
    "  if (i >= params.count) {\n    return;\n  }",
    ...lines.map((line) => `  ${line}`),
    "}",
  ].join("\n");
  return {
    label,
    kernel: "elementwise",
    code,
    constants: {},
    parameters: Uint32Array.from(fields.values()),
    bindings: [...regions.values()].map((region) => ({ region, access: "write" })),
    workgroups: linearWorkgroups(chain.count, WORKGROUP_SIZE),
  };
}

/** The regions of loads and stores, each once, by key. */
function regionsOf({ loads, stores }: ElementwiseChain): Map<string, Region> {
  return new Map([...loads, ...stores].map(({ placement: { region } }) => [regionKey(region), region]));
}

/** offset + floor(i / divisor) mod modulus, without the parts that change nothing. */
function indexOf(
  { placement, divisor, modulus }: ElementwiseLoad,
  count: number,
  name: string,
  parameter: (name: string, value: number) => string,
): string {
  const offset = parameter(`${name}Offset`, placement.offset);
  if (modulus === 1) return offset;
  const quotient = divisor === 1 ? "i" : `i / ${parameter(`${name}Divisor`, divisor)}`;
  const wraps = modulus < Math.ceil(count / divisor);
  return `${offset} + ${wraps ? `${divisor === 1 ? "i" : `(${quotient})`} % ${parameter(`${name}Modulus`, modulus)}` : quotient}`;
}

function callOf({ function: name, operands, dtype }: ElementwiseStep, k: number): string {
  if (elementwiseFunctions[name] !== operands.length) {
    throw new Error(`Step ${k} of an elementwise chain calls "${name}" with ${operands.length} operands.`);
  }
  const texts = operands.map((operand, i) => textOf(operand, operandType(name, i, dtype)));
  if (name !== "select") return `${name}(${texts.join(", ")})`;
  return `select(${texts[2]}, ${texts[1]}, ${texts[0]} != 0.0)`;
}

function operandType(name: string, position: number, result: DType): DType {
  if (name === "toFloat" || name === "increment") return "u32";
  return name === "select" && position > 0 ? result : "f32";
}

function textOf(operand: ElementwiseOperand, dtype: DType): string {
  if (operand.from !== "constant") return `${operand.from}${operand.index}`;
  return dtype === "u32" ? `${operand.value >>> 0}u` : floatText(operand.value);
}

/** An f32 literal. WGSL has none for NaN and the infinities, nor lets an expression of constants give them. */
function floatText(value: number): string {
  const rounded = Math.fround(value);
  if (Number.isFinite(rounded)) return Object.is(rounded, -0) ? "-0.0f" : `${rounded}f`;
  return `fromBits(0x${new Uint32Array(Float32Array.of(rounded).buffer)[0]?.toString(16)}u)`;
}

function fromBits(text: string, dtype: DType): string {
  return dtype === "u32" ? text : `bitcast<f32>(${text})`;
}

function toBits(text: string, dtype: DType): string {
  return dtype === "u32" ? text : `bitcast<u32>(${text})`;
}

/** The declarations of shaders/elementwise.wgsl that `text` needs, in that file's order. */
function functionsFor(text: string): string[] {
  const declarations = declarationsOf(shaders["elementwise"]!);
  const needed = new Set<string>();
  const visit = (code: string) => {
    for (const [word] of code.matchAll(/\b[A-Za-z_]\w*\b/g)) {
      const declaration = declarations.get(word);
      if (!declaration || needed.has(word)) continue;
      needed.add(word);
      visit(declaration);
    }
  };
  visit(text);
  return [...declarations].filter(([name]) => needed.has(name)).map(([, code]) => code);
}

/** Name -> text of each function, struct and constant at the top level of a module. */
function declarationsOf(code: string): Map<string, string> {
  const declarations = new Map<string, string>();
  let name = "";
  let depth = 0;
  for (const line of code.split("\n")) {
    if (depth === 0) name = /^(?:fn|struct|const)\s+(\w+)/.exec(line)?.[1] ?? name;
    declarations.set(name, declarations.has(name) ? `${declarations.get(name)}\n${line}` : line);
    depth += line.split("{").length - line.split("}").length;
  }
  return declarations;
}
