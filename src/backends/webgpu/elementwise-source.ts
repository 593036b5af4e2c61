/** A fused elementwise chain as a shader: one invocation per element, every region bound for reading and writing. */
import { shaders } from "../../generated/shaders.ts";
import { linearWorkgroups } from "../../kernels/kernel.ts";
import type { ElementwiseChain } from "../../schedule/program.ts";
import { chainSource } from "./chain-source.ts";
import { declarationsFor, uniformOf, withDirectives } from "./declarations.ts";
import type { Dispatch } from "./dispatch.ts";

const WORKGROUP_SIZE = 64;

export function elementwiseDispatch(label: string, chain: ElementwiseChain): Dispatch {
  const { regions, fields, lines } = chainSource(chain);
  const parameters = new Map([["count", chain.count], ...fields]);
  const code = [
    uniformOf(
      "ElementwiseParameters",
      [...parameters.keys()].map((name) => [name, "u32"]),
    ),
    ...regions.map(({ type }, k) => `@group(0) @binding(${k + 1}) var<storage, read_write> region${k}: ${type};`),
    ...declarationsFor(lines.join("\n"), [shaders["elementwise"]!, shaders["random"]!]),
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
    code: withDirectives(code),
    constants: {},
    parameters: Uint32Array.from(parameters.values()),
    bindings: regions.map(({ region }) => ({ region, access: "write" })),
    workgroups: linearWorkgroups(chain.count, WORKGROUP_SIZE),
  };
}
