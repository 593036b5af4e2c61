/** One call of a kernel, what it is given and what must come out; and how a backend is held to it. */
import type { Backend } from "../../src/backends/backend.ts";
import type { LinearChoice, LinearKernel } from "../../src/backends/webgpu/linear-choice.ts";
import type { DType } from "../../src/graph/node.ts";
import type { ElementwiseChain, KernelCall, Placement } from "../../src/schedule/program.ts";
import { allKernels } from "../kernels.ts";
import { assert, assertClose, assertEqual } from "./assert.ts";
import { type Contents, handMadeProgram, kernelCall, runOnce, valuesOf, wordsOf } from "./kernel-programs.ts";

/** Each operand lies in a state of its own, `offset` elements in, with NaN (or 2^31-odd indices) around it. */
export interface Operand {
  readonly dtype: DType;
  /** Before the call; left out: NaN. */
  readonly values?: ArrayLike<number>;
  /** After the call, by the declaration, in f64; left out: the operand stays as it is, bit for bit. */
  readonly expected?: ArrayLike<number>;
}

export interface KernelCase {
  readonly label: string;
  readonly kernel: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** By binding; for chains by a name of their own. */
  readonly operands: Readonly<Record<string, Operand>>;
  readonly chain?: (place: (operand: string) => Placement) => ElementwiseChain;
  /** Bindings that are not an operand of their name. */
  readonly bindings?: (place: (operand: string) => Placement) => Readonly<Record<string, Placement>>;
  /** Largest error, relative to the largest magnitude expected; default 2e-5, which the project promises. 0: equal. */
  readonly tolerance?: number;
}

const DEFAULT_TOLERANCE = 2e-5;

/** A NaN as f32; as an index, one that no table has. */
const PADDING = 0x7fc12345;
const PADDING_AFTER = 70;

/** Plans align what they allocate to 64 elements, but operands may be parts of such. */
const offsets = [0, 64, 3, 129, 70, 1];

/** The case as a program of one call, what its states hold, and where in them the operands lie. */
function programOf(each: KernelCase, number: number) {
  const placements = new Map<string, Placement>();
  const contents: Record<string, Contents[string]> = {};
  Object.entries(each.operands).forEach(([name, { dtype, values, expected }], i) => {
    const length = (values ?? expected)!.length;
    const offset = offsets[(number + i) % offsets.length]!;
    const words = new Uint32Array(offset + length + PADDING_AFTER).fill(PADDING);
    if (values) words.set(wordsOf(values, dtype), offset);
    contents[name] = { dtype, words };
    placements.set(name, { region: { kind: "state", name }, offset, length });
  });
  const place = (name: string) => placements.get(name)!;
  const bindings = Object.fromEntries(
    [...placements].filter(([name]) => name in (allKernels[each.kernel]?.bindings ?? {})),
  );
  const call = {
    ...kernelCall(each.kernel, each.parameters, { ...bindings, ...each.bindings?.(place) }, each.label),
    ...(each.chain && { chain: each.chain(place) }),
  };
  const program = handMadeProgram(each.label, contents, [call]);
  return { program, contents, placements };
}

/** The bits of all operands after the case. */
export function resultsOf(backend: Backend, each: KernelCase, number: number): Promise<Record<string, Uint32Array>> {
  const { program, contents } = programOf(each, number);
  return runOnce(backend, program, contents);
}

/** Runs the case twice: right within its tolerance, nothing else touched, and the same bits again. */
export async function checkCase(backend: Backend, each: KernelCase, number: number): Promise<void> {
  const { program, contents, placements } = programOf(each, number);
  const results = await runOnce(backend, program, contents);

  for (const [name, { dtype, expected }] of Object.entries(each.operands)) {
    const subject = `${backend.device}: ${each.label}: ${name}`;
    const before = contents[name]!.words;
    const after = results[name]!;
    if (!expected) {
      assertEqual(after, before, subject);
      continue;
    }
    const { offset, length } = placements.get(name)!;
    assertEqual(after.subarray(0, offset), before.subarray(0, offset), `${subject}, before it`);
    assertEqual(after.subarray(offset + length), before.subarray(offset + length), `${subject}, after it`);
    const tolerance = dtype === "u32" ? 0 : (each.tolerance ?? DEFAULT_TOLERANCE);
    assertClose(valuesOf(after.subarray(offset, offset + length), dtype), expected, tolerance, subject);
  }
  const again = await runOnce(backend, program, contents);
  for (const name of Object.keys(contents)) {
    const same = again[name]!.every((word, i) => word === results[name]![i]);
    assert(same, `${backend.device}: ${each.label}: ${name} has other bits the second time.`);
  }
}

/** Gives every product to one kernel of WebGPU, deep ones in segments: few, and more than are read at a time to be joined. */
export function inSegments(kernel: LinearKernel) {
  return ({ parameters: { depth = 1 } }: KernelCall): LinearChoice => {
    return { kernel, segments: depth > 1000 ? 11 : depth > 100 ? 3 : 1 };
  };
}
