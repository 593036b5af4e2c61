/** Several reductions of one shape as one dispatch (shaders/networks/reduce-together.wgsl): its code, its sizes, its segments. */
import { networkShaders } from "../../generated/network-shaders.ts";
import { MAX_WORKGROUPS } from "../../kernels/kernel.ts";
import { reduceLanes } from "../../kernels/reduce.ts";
import { uniformOf } from "./declarations.ts";
import type { Dispatch, Operand } from "./dispatch.ts";
import { regionKey } from "./dispatch.ts";

/** [outer, reduced, inner] to [outer, inner / within], summed over `reduced` and over `within` neighbours. */
export interface TogetherShape {
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
  readonly within: number;
  readonly squares: boolean;
  readonly scale: number;
}

/** What one of the reductions reads and writes. */
export interface Member {
  readonly in: Operand;
  readonly out: Operand;
}

const INVOCATIONS = 256;

/** Reductions of one dispatch at most: each may bind two regions, of the eight that any device allows. */
export const MOST_MEMBERS = 4;

/** The most columns that one invocation adds up. */
export const MOST_WITHIN = INVOCATIONS;

/** Elements that a lane adds up before a reduction that leaves a GPU idle is cut. */
const SEGMENT_PER_LANE = 64;

/** Workgroups that a GPU has enough to do with; and so few that most of it is idle. */
const [ENOUGH_WORKGROUPS, FEW_WORKGROUPS] = [256, 64];

/** Lanes that leave a workgroup 16 columns, a line of memory, and those of a reduction of few columns. */
const [NARROW, WIDE] = [16, 64];

/** The dispatches, and the elements of scratch that they need; undefined where one would have too many workgroups. */
export function togetherDispatches(
  label: string,
  shape: TogetherShape,
  members: readonly Member[],
): { dispatches: Dispatch[]; scratch: number } | undefined {
  const { outer, inner, within } = shape;
  const { lanes, segments } = sizesOf(shape, members.length);
  if (workgroupsOf(shape, lanes) > MAX_WORKGROUPS) return undefined;
  if (segments === 1) return { dispatches: [dispatchOf(label, shape, members, lanes, 1)], scratch: 0 };
  const size = (segments * outer * inner) / within; // every segment by itself, member by member; then these
  const partial = members.map((_, m): Operand => ({ region: { kind: "scratch" }, offset: m * size }));
  const joined = { ...shape, reduced: segments, inner: inner / within, within: 1, squares: false };
  return {
    dispatches: [
      dispatchOf(label, { ...shape, scale: 1 }, withOperands(members, "out", partial), lanes, segments),
      dispatchOf(label, joined, withOperands(members, "in", partial), sizesOf(joined, members.length).lanes, 1),
    ],
    scratch: members.length * size,
  };
}

const withOperands = (members: readonly Member[], name: keyof Member, operands: readonly Operand[]) =>
  members.map((member, m): Member => ({ ...member, [name]: operands[m] }));

/** Columns of a workgroup that whole groups take. */
const columnsOf = ({ within }: TogetherShape, lanes: number) => Math.floor(INVOCATIONS / lanes / within) * within;

const workgroupsOf = (shape: TogetherShape, lanes: number) =>
  Math.ceil((shape.outer * shape.inner) / columnsOf(shape, lanes));

/** The same for a shape and a number of members in every run, so that results are. */
function sizesOf(shape: TogetherShape, members: number): { lanes: number; segments: number } {
  const { reduced, inner, within } = shape;
  const workgroups = (lanes: number) => workgroupsOf(shape, lanes) * members;
  const most = 2 ** Math.floor(Math.log2(INVOCATIONS / within));
  if (inner === 1) return { lanes: reduceLanes({ reduced }), segments: 1 };
  const narrow = Math.min(NARROW, most, 2 ** Math.ceil(Math.log2(reduced)));
  let lanes = narrow;
  while (workgroups(lanes) < FEW_WORKGROUPS && 2 * lanes <= Math.min(WIDE, most, reduced)) lanes *= 2;
  if (reduced <= lanes * SEGMENT_PER_LANE || workgroups(narrow) >= ENOUGH_WORKGROUPS) return { lanes, segments: 1 };
  const wanted = Math.ceil(reduced / (narrow * SEGMENT_PER_LANE));
  return { lanes: narrow, segments: Math.min(wanted, Math.ceil(ENOUGH_WORKGROUPS / workgroups(narrow))) };
}

function dispatchOf(
  label: string,
  shape: TogetherShape,
  members: readonly Member[],
  lanes: number,
  segments: number,
): Dispatch {
  const { outer, reduced, inner, within, squares } = shape;
  const [ins, outs] = [members.map((member) => member.in), members.map((member) => member.out)];
  const operands = [...ins, ...outs];
  const regions = [...new Map(operands.map(({ region }) => [regionKey(region), region])).values()];
  const numberOf = ({ region }: Operand) => regions.findIndex((each) => regionKey(each) === regionKey(region));
  const isWritten = regions.map((_, k) => outs.some((out) => numberOf(out) === k));
  const fields = new Map([
    ...Object.entries({ outer, reduced, inner, within, lanes, squares: Number(squares) }),
    ...ins.map(({ offset }, m) => [`in${m}`, offset] as const),
    ...outs.map(({ offset }, m) => [`out${m}`, offset] as const),
  ]);
  const at = (operand: Operand, name: string, m: number) => `region${numberOf(operand)}[params.${name}${m} + i]`;
  const code = [
    uniformOf("TogetherParameters", [["scale", "f32"], ...[...fields.keys()].map((name) => [name, "u32"] as const)]),
    ...regions.map((_, k) => {
      const access = isWritten[k] ? "read_write" : "read";
      return `@group(0) @binding(${k + 1}) var<storage, ${access}> region${k}: array<f32>;`;
    }),
    "fn valueAt(member: u32, i: u32) -> f32 {",
    ...byMember(ins.map((operand, m) => `return ${at(operand, "in", m)};`)),
    "}",
    "fn store(member: u32, i: u32, value: f32) {",
    ...byMember(outs.map((operand, m) => `${at(operand, "out", m)} = value;`)),
    "}",
    networkShaders["reduce-together"],
  ].join("\n");
  return {
    label,
    kernel: "reduce", // the entry point
    code,
    constants: {},
    parameters: Uint32Array.of(bitsOf(shape.scale), ...fields.values()),
    bindings: regions.map((region, k) => ({ region, access: isWritten[k] ? "write" : "read" })),
    workgroups: [workgroupsOf(shape, lanes), members.length, segments],
  };
}

/** Statements, of which each member has its own. */
function byMember(statements: readonly string[]): string[] {
  const last = statements.length - 1;
  return [
    "  switch member {",
    ...statements.map((statement, m) => `    ${m === last ? "default" : `case ${m}u`}: {\n      ${statement}\n    }`),
    "  }",
  ];
}

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0] as number;
