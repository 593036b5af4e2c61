/** What the kernels of a product need to read a left operand through a window (shaders/window/window.wgsl). */
import { windowShaders } from "../../generated/window-shaders.ts";
import type { KernelCall } from "../../schedule/program.ts";

/** Below this a quotient by way of f32 is exact: (n + 1/2) / d is at least 1 / 2 d from a whole number, its error less. */
const EXACT = 2 ** 21;

/** Lines beyond the last that a kernel may read. */
const BEYOND = 1024;

/** The functions that read through any window. */
export const windowShader = windowShaders["window"] as string;

/**
 * The functions that depend on the call's window; none for other products.
 *
 * @param software - whether an integer division costs more than a dozen other operations, so that f32's take its place.
 */
export function windowFunctions(call: KernelCall, software: boolean): string[] {
  const { parameters } = call;
  const { rows = 1, depth = 1, transposeLeft, channels } = parameters;
  if (channels === undefined) return [];
  const [lines, width] = (transposeLeft ? [depth, rows] : [rows, depth]) as [number, number];
  const over = (n: string, divisor: number, most: number): string => {
    if (divisor === 1) return n;
    if (Number.isInteger(Math.log2(divisor))) return `(${n} >> ${Math.log2(divisor)}u)`;
    if (software && most < EXACT) return `u32((f32(${n}) + 0.5) * ${1 / divisor})`;
    return `(${n} / ${divisor}u)`;
  };
  const get = (axis: string, field: string) => parameters[`${axis}${field}`] as number;
  /** Where the tap is along an axis, as `<axis>At`, and whether that is a place, as `<axis>Is`. */
  const along = (axis: string, place: string, tap: string): string[] => {
    const [input, fraction] = [get(axis, "Input"), get(axis, "Fraction")];
    const from = `i32(${place}) * ${get(axis, "Stride")} + i32(${tap}) * ${get(axis, "Dilation")} + ${get(axis, "Start")}`;
    const steps = `${axis}Steps`; // wraps below 0, far beyond the last place
    return [
      `  let ${steps} = u32(${from});`,
      `  let ${axis}At = ${over(steps, fraction, Number.POSITIVE_INFINITY)};`,
      `  let ${axis}Is = ${axis}At < ${input}u${fraction === 1 ? "" : ` && ${axis}At * ${fraction}u == ${steps}`};`,
    ];
  };
  const [across, taps] = [get("across", "Output"), get("across", "Taps")];
  const isSequence =
    ["Input", "Output", "Taps"].every((field) => get("down", field) === 1) && get("down", "Start") === 0;
  return [
    `const CHANNELS = ${channels}u;`,
    `fn tapAt(at: u32) -> u32 {\n  return ${over("at", channels, width + BEYOND)};\n}`,
    // The sum depends on the depth, so compilers work out anew in each slice where a line's image is. Ahead of the loop they
    // would for all lines, and have too few registers for the sums.
    `fn lineAt(line: u32, at: u32) -> u32 {\n  return line${software || transposeLeft ? "" : " + (at >> 31u)"};\n}`,
    "fn seenBy(line: u32, tap: u32) -> i32 {",
    `  let image = ${over("line", get("down", "Output") * across, lines + BEYOND)};`,
    `  let place = line - image * ${get("down", "Output") * across}u;`,
    ...(isSequence
      ? along("across", "place", "tap")
      : [
          `  let y = ${over("place", across, EXACT - 1)};`,
          `  let i = ${over("tap", taps, EXACT - 1)};`,
          ...along("down", "y", "i"),
          ...along("across", `(place - y * ${across}u)`, `(tap - i * ${taps}u)`),
        ]),
    `  let row = image${isSequence ? "" : ` * ${get("down", "Input")}u + downAt`};`,
    `  let first = (row * ${get("across", "Input")}u + acrossAt) * CHANNELS;`,
    `  return select(-1, i32(first), ${isSequence ? "" : "downIs && "}acrossIs);`,
    "}",
    ...(software ? [] : blockOfLines(call, isSequence)),
  ];
}

/**
 * A 4 x 4 block of left, where four lines from a multiple of 4 on are places of one row of an image, or two and two are:
 * image, row, tap and what lies outside are found once for these. Empty for other windows, where each line is by itself.
 */
function blockOfLines({ parameters, bindings }: KernelCall, isSequence: boolean): string[] {
  const { rows = 1, transposeLeft, groups = 1, channels = 1 } = parameters;
  const get = (axis: string, field: string) => parameters[`${axis}${field}`] as number;
  const [width, taps] = [get("across", "Output"), get("across", "Taps")];
  const together = [4, 2].find((count) => width % count === 0);
  const isWhole = channels % 4 === 0 && bindings["left"]!.offset % 4 === 0 && (rows / groups) % 4 === 0;
  if (!together || !isWhole || get("down", "Fraction") > 1 || get("across", "Fraction") > 1) return [];
  const seen = (axis: string, place: string, tap: string) =>
    `u32(i32(${place}) * ${get(axis, "Stride")} + i32(${tap}) * ${get(axis, "Dilation")} + ${get(axis, "Start")})`;
  const step = get("across", "Stride");
  const reads = (n: number) => [
    `  if (${isSequence ? "" : "isRow && "}beside + ${n * step}u < ${get("across", "Input")}u) {`,
    `    quads[${n}] = vec4f(left[(first + ${n * step * channels}u) >> 2u]);`,
    "  }",
  ];
  const found = together === 4 ? "fourSeen" : "twoSeen";
  return [
    `fn ${found}(line: u32, at: u32) -> mat4x4f {`,
    `  let tap = tapAt(at${transposeLeft ? " + (line >> 31u)" : ""});`, // anew in each slice, as lineAt
    `  let row = line / ${width}u;`,
    ...(isSequence
      ? [`  let beside = ${seen("across", `(line - row * ${width}u)`, "tap")};`, "  let above = row;"]
      : [
          `  let i = tap / ${taps}u;`,
          `  let beside = ${seen("across", `(line - row * ${width}u)`, `(tap - i * ${taps}u)`)};`,
          `  let image = row / ${get("down", "Output")}u;`,
          `  let down = ${seen("down", `(row - image * ${get("down", "Output")}u)`, "i")};`,
          `  let isRow = down < ${get("down", "Input")}u;`,
          `  let above = image * ${get("down", "Input")}u + down;`,
        ]),
    `  let first = params.leftOffset + (above * ${get("across", "Input")}u + beside) * CHANNELS + at - tap * CHANNELS;`,
    "  var quads = mat4x4f();",
    ...Array.from({ length: together }, (_, n) => reads(n)).flat(),
    "  return quads;",
    "}",
    ...(together === 4
      ? []
      : [
          "fn fourSeen(line: u32, at: u32) -> mat4x4f {",
          "  let upper = twoSeen(line, at);",
          "  let lower = twoSeen(line + 2u, at);",
          "  return mat4x4f(upper[0], upper[1], lower[0], lower[1]);",
          "}",
        ]),
    "fn leftBlock(row: u32, k: u32) -> mat4x4f {",
    `  return withinDepth(k, ${transposeLeft ? "fourSeen(k, row)" : "transpose(fourSeen(lineAt(row, k), k))"});`,
    "}",
  ];
}
