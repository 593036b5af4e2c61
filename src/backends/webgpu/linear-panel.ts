/**
 * A matrix product where a GPU is a CPU's vectors of four lanes (shaders/software/linear-panel.wgsl): the product and its
 * bias by themselves, and then what becomes of them as an elementwise chain of its own.
 */
import { softwareShaders } from "../../generated/software-shaders.ts";
import type { ElementwiseOperand, KernelCall, Placement } from "../../schedule/program.ts";
import { onQuads, quadChain } from "./chain-quads.ts";
import type { RegionChain } from "./chain-source.ts";
import { subgroupDirectives } from "./declarations.ts";
import { type Dispatch, type Operand, sameRegion } from "./dispatch.ts";
import { elementwiseDispatch } from "./elementwise-source.ts";
import { lineWidth, readerOf } from "./linear-operand.ts";
import { type Bound, chainOf, linearDispatch, type WindowForms } from "./linear-source.ts";

/** Columns of a workgroup: four lanes, four each. */
const COLUMNS = 16;

/** Of the depth: what an invocation holds at most. It is written out, so that indices are constants. */
const DEEPEST_PANEL = 64;

/** Elements to whose multiples a binding's beginning may be: WebGPU's 256 bytes. */
const ALIGNMENT = 64;

/** Rows that a workgroup runs down: copying the panel should not count, nor should threads be without work. */
const FEWEST_ROWS = 64;
const MOST_ROWS = 256;
const ENOUGH_WORKGROUPS = 16;

/** The product's dispatches, one or two, and the elements of scratch that they need. */
export function panelDispatches(call: KernelCall, windows: WindowForms): { dispatches: Dispatch[]; scratch: number } {
  const { rows = 1, columns = 1 } = call.parameters;
  const { target, chain } = destination(call);
  const product = productDispatch(call, target, windows);
  return {
    dispatches: chain ? [product, elementwiseDispatch(call.label, chain, { onQuads, quadChain })] : [product],
    scratch: target.region.kind === "scratch" ? rows * columns : 0,
  };
}

/**
 * Where the product goes, and what is left to do then. Where the chain keeps it anyway it goes there, unless the chain
 * still reads what lies there; else to scratch.
 */
function destination(call: KernelCall): { target: Operand; chain?: RegionChain } {
  const { groups = 1 } = call.parameters;
  const { count, loads, steps, stores } = call.chain ?? chainOf(call);
  const kept = Array.from({ length: groups }, (_, group) =>
    stores.find(({ source, stride = 1 }) => source.from === "product" && source.index === group && stride === 1),
  );
  const place = kept[0]?.placement;
  const inPlace =
    place &&
    kept.every((store, group) => {
      const placement = store?.placement;
      return (
        placement && sameRegion(placement.region, place.region) && placement.offset === place.offset + group * count
      );
    }) &&
    !loads.some(({ placement: { region, offset, length } }) => {
      const overlaps = offset < place.offset + groups * count && place.offset < offset + length;
      return overlaps && sameRegion(region, place.region);
    });
  const target: Operand = inPlace ? place : { region: { kind: "scratch" }, offset: 0 };
  const left = inPlace ? stores.filter((store) => !kept.includes(store)) : stores;
  if (left.length === 0) return { target };

  const loaded = <Value extends ElementwiseOperand>(value: Value): ElementwiseOperand =>
    value.from === "product" ? { from: "load", index: loads.length + value.index } : value;
  const products = kept.map((_, group) => {
    const placement = { region: target.region, offset: target.offset + group * count };
    return { placement, divisor: 1, modulus: count, dtype: "f32" as const };
  });
  const chain: RegionChain = {
    count,
    loads: [...loads, ...products],
    steps: steps.map((step) => ({ ...step, operands: step.operands.map(loaded) })),
    stores: left.map((store) => ({ ...store, source: loaded(store.source) })),
  };
  return { target, chain };
}

function productDispatch(call: KernelCall, target: Operand, windows: WindowForms): Dispatch {
  const { rows = 1, columns = 1, depth = 1, transposeLeft = 0, transposeRight = 0 } = call.parameters;
  const { biasRows = 0, sumsDepth = 0 } = call.parameters;
  const panel = Math.min(Math.ceil(depth / 16) * 16, DEEPEST_PANEL);
  const groups = Math.ceil(columns / COLUMNS);
  const rowsEach = Math.min(Math.max(Math.ceil((rows * groups) / ENOUGH_WORKGROUPS), FEWEST_ROWS), MOST_ROWS);

  const { left, right, bias, sums } = call.bindings;
  const leftWhole = transposeLeft === 0 && lineWidth(call, "left") % 4 === 0 && left!.offset % 4 === 0;
  const rightWhole = lineWidth(call, "right") % 4 === 0 && right!.offset % 4 === 0;
  const kept = { ...target, length: rows * columns };
  const sumsKept = sumsDepth > 0 ? sums : undefined;
  const together = sumsKept !== undefined && sameRegion(sumsKept.region, target.region); // bound for writing once
  const keptWhole = columns % 4 === 0 && target.offset % 4 === 0 && (!together || sumsKept.offset % 4 === 0);
  const four = keptWhole ? "Quad" : "Elements";
  const bindings = [
    bound("left", "read", leftWhole, [left!]),
    bound("right", "read", rightWhole, [right!]),
    bound("kept", "write", keptWhole, together ? [kept, sumsKept] : [kept]),
  ];
  if (biasRows > 0 && bias) bindings.push(bound("bias", "read", false, [bias]));
  if (sumsKept && !together) bindings.push(bound("sums", "write", false, [sumsKept]));
  const first = (name: string) => bindings.find((binding) => binding.name === name)?.range.first ?? 0;
  const within = (name: string, placement: Placement) => {
    return { ...placement, offset: placement.offset - first(name === "sums" && together ? "kept" : name) };
  };
  const placed = Object.fromEntries(Object.entries(call.bindings).map(([name, each]) => [name, within(name, each)]));
  const fields = new Map(Object.entries({ rowsEach, keptOffset: target.offset - first("kept") }));
  return linearDispatch(
    { ...call, bindings: placed },
    softwareShaders["linear-panel"]!,
    { bindings: [], code: "", groups: 1, fields },
    {
      directives: subgroupDirectives,
      bindings,
      windows,
      shared: softwareShaders["linear-shared"],
      code: [
        `const PANEL = ${panel}u;`,
        `const RIGHT_TRANSPOSED = ${transposeRight === 1};`,
        `const DEPTH_IS_WHOLE = ${depth % panel === 0};`,
        ...(windows?.windowFunctions(call, true) ?? []),
        "fn leftSteps(row: u32, k: u32) -> vec4f {",
        transposeLeft
          ? `  return ${readerOf(call, "left", "Across")}(k, row, params.rows);`
          : `  return ${readerOf(call, "left", quadsOr(leftWhole))}(row, k, params.depth);`,
        "}",
        "fn rightFour(line: u32, at: u32, width: u32) -> vec4f {",
        `  return ${readerOf(call, "right", quadsOr(rightWhole))}(line, at, width);`,
        "}",
        `fn biasFour(column: u32) -> vec4f {\n  return ${biasRows > 0 ? "biasElements(column)" : "vec4f()"};\n}`,
        `fn keptFour(row: u32, column: u32) -> vec4f {\n  return kept${four}(row, column);\n}`,
        `fn keepFour(at: u32, column: u32, four: vec4f) {\n  keep${four}(at, column, four);\n}`,
        "fn finishSums(column: u32, four: vec4f) {",
        ...(sumsKept ? sumsLines(together, four) : []),
        "}",
        ...panelLines(panel),
      ],
      workgroups: [groups, Math.ceil(rows / rowsEach), 1],
    },
  );
}

function quadsOr(whole: boolean) {
  return whole ? "Quad" : "Elements";
}

/**
 * An array of a size that the shader knows, which is as much of the region as some operands lie in: SwiftShader divides to
 * find the length of another at each index that is checked against it.
 */
function bound(
  name: string,
  access: "read" | "write",
  whole: boolean,
  operands: readonly (Operand & { readonly length: number })[],
): Bound & Required<Pick<Bound, "range">> {
  const size = whole ? 4 : 1;
  const first = Math.floor(Math.min(...operands.map(({ offset }) => offset)) / ALIGNMENT) * ALIGNMENT;
  const count = Math.ceil((Math.max(...operands.map(({ offset, length }) => offset + length)) - first) / size);
  const type = `array<${whole ? "vec4f" : "f32"}, ${count}>`;
  return { name, type, access, region: operands[0]!.region, range: { first, length: count * size } };
}

/** Column sums to `kept` or to a binding of their own. */
function sumsLines(together: boolean, four: string): string[] {
  if (together) return [`  keep${four}(params.sumsOffset, column, four);`];
  return [
    "  for (var c = 0u; c < 4u; c++) {",
    "    if (column + c < params.columns) {",
    "      sums[params.sumsOffset + column + c] = elementOf(four, c);",
    "    }",
    "  }",
  ];
}

/** The steps of a panel written out: lane l reads steps 16 q + 4 l on of its row for all four lanes. */
function panelLines(panel: number): string[] {
  const steps = Array.from({ length: panel }, (_, k) => {
    const quad = k >> 4;
    const read = k % 16 === 0 ? [`  let v${quad} = leftWithin(row, start + ${k}u + 4u * lane);`] : [];
    const element = `v${quad}.${"xyzw"[k % 4]}`;
    return [...read, `  sum = fma(vec4f(subgroupBroadcast(${element}, ${(k >> 2) % 4}u)), panel[${k}], sum);`];
  });
  return [
    "fn sumPanel(row: u32, start: u32, lane: u32, before: vec4f) -> vec4f {",
    "  var sum = before;",
    ...steps.flat(),
    "  return sum;",
    "}",
  ];
}
