/** What a kernel declaration is: the facts that `schedule/`, both backends and the build share. */

/** A storage binding: `read` ones may overlap each other; a `write` one overlaps no other. */
export interface Binding {
  readonly access: "read" | "write";
  readonly element: "f32" | "u32";
  /** May be absent from a call; its flag among the parameters then says so. */
  readonly optional?: boolean;
}

export interface KernelDeclaration {
  /** The name of shaders/<name>.wgsl, its entry point, of the function in wasm/, of rows in `describe()`. */
  readonly name: string;
  /** The parameter struct that `parameters.ts` declares: type by field, in order, 4 bytes each, without gaps. */
  readonly parameters: Readonly<Record<string, "u32" | "f32">>;
  /** Whether it is a product as `linear` is: with a bias, a chain over groups of its rows, and column sums. */
  readonly isProduct?: true;
  /** Parameters that a call may leave out, and what they then are. */
  readonly defaults?: Readonly<Record<string, number>>;
  /** In binding order: the uniform is @binding(0), these follow from @binding(1) on. */
  readonly bindings: Readonly<Record<string, Binding>>;
  /** Workgroups for these parameters on WebGPU. At most 65,535 along each axis. */
  workgroups(parameters: Readonly<Record<string, number>>): readonly [number, number, number];
}

/** The limit of workgroups along one axis that every WebGPU device keeps. */
export const MAX_WORKGROUPS = 65535;

/**
 * Workgroups for `invocations` in a row, wrapped into a second axis where they exceed one: shaders index by
 * workgroup.x + workgroup.y * MAX_WORKGROUPS and check against the count.
 */
export function linearWorkgroups(invocations: number, workgroupSize: number): readonly [number, number, number] {
  const workgroups = Math.ceil(invocations / workgroupSize);
  return [Math.min(workgroups, MAX_WORKGROUPS), Math.ceil(workgroups / MAX_WORKGROUPS), 1];
}
