/**
 * A fused elementwise chain as a shader: one invocation per element, or per four where a device likes that and the
 * chain's operands allow it; every region bound for reading and writing.
 */
import { linearWorkgroups } from "../../kernels/kernel.ts";
import type { onQuads, quadChain } from "./chain-quads.ts";
import { chainFunctions, chainSource, type RegionChain } from "./chain-source.ts";
import { declarationsFor, uniformOf, withDirectives } from "./declarations.ts";
import type { Dispatch } from "./dispatch.ts";

const WORKGROUP_SIZE = 64;

/** How an element is found in an array of quads. */
const quadConstants = "const QUAD_BITS = 2u;\nconst QUAD_MASK = 3u;";

/** How a chain is written for four elements at a time. */
export interface Quads {
  readonly quadChain: typeof quadChain;
  readonly onQuads: typeof onQuads;
}

/** @param quads - where four elements at a time are faster. */
export function elementwiseDispatch(label: string, chain: RegionChain, quads?: Quads): Dispatch {
  const byQuads = quads?.quadChain(chain);
  const text = (code: string) => (quads && byQuads ? quads.onQuads(code) : code);
  const { count } = byQuads ?? chain;
  const { regions, fields, lines } = chainSource(byQuads ?? chain);
  const parameters = new Map([
    ["count", count],
    ...fields,
    ...(byQuads?.masked ? [["elements", chain.count] as const] : []),
  ]);
  const body = lines.join("\n");
  const functions = declarationsFor(body, chainFunctions).join("\n");
  const within = byQuads?.masked ? "  let within = vec4u(0, 1, 2, 3) + 4u * i < vec4u(params.elements);" : "";
  const code = [
    uniformOf(
      "ElementwiseParameters",
      [...parameters.keys()].map((name) => [name, "u32"]),
    ),
    ...regions.map(
      ({ type }, k) =>
        `@group(0) @binding(${k + 1}) var<storage, read_write> region${k}: ${byQuads ? "array<vec4u>" : type};`,
    ),
    ...(byQuads ? [quadConstants] : []),
    text(functions),
    `@compute @workgroup_size(${WORKGROUP_SIZE})`,
    "fn elementwise(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {",
    `  let i = (workgroup.x + workgroup.y * 65535u) * ${WORKGROUP_SIZE}u + index;`,
    "  if (i >= params.count) {\n    return;\n  }",
    within,
    text(body),
    "}",
  ].join("\n");
  return {
    label,
    kernel: "elementwise",
    code: withDirectives(code),
    constants: {},
    parameters: Uint32Array.from(parameters.values()),
    bindings: regions.map(({ region }) => ({ region, access: "write" })),
    workgroups: linearWorkgroups(count, WORKGROUP_SIZE),
  };
}
