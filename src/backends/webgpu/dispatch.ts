/** What a program becomes before it meets a device: dispatches, as data. */
import type { Placement, Region } from "../../schedule/program.ts";

/** Intermediate results of a call that takes two dispatches; one buffer for all calls, being used one after another. */
export interface ScratchRegion {
  readonly kind: "scratch";
}

/** A range of a buffer. Most bindings are whole buffers, so `offset` reaches the shader as a parameter. */
export interface Operand {
  readonly region: Region | ScratchRegion;
  readonly offset: number;
  /** See {@link Placement}. */
  readonly scale?: number;
}

export interface BoundRegion {
  readonly region: Region | ScratchRegion;
  readonly access: "read" | "write";
  /** What of the region is bound, in elements, from a multiple of 64 on; all of it where this is left out. */
  readonly range?: { readonly first: number; readonly length: number };
}

/** One dispatch: which pipeline, which buffers, which parameters, how many workgroups. */
export interface Dispatch {
  /** The call's, for GPU labels and errors. */
  readonly label: string;
  /** The shader's entry point. */
  readonly kernel: string;
  readonly code: string;
  /** Values of the shader's `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** Contents of the uniform at @binding(0). */
  readonly parameters: Uint32Array;
  /** From @binding(1) on. */
  readonly bindings: readonly BoundRegion[];
  readonly workgroups: readonly [number, number, number];
}

export function sameRegion(a: Placement["region"] | ScratchRegion, b: Placement["region"] | ScratchRegion): boolean {
  return regionKey(a) === regionKey(b);
}

/** The WGSL type of a region that is read and written as bits, or as f16. */
export const arrayOf = (region: Region | ScratchRegion) => `array<${isHalf(region) ? "f16" : "u32"}>`;

export const isHalf = (region: Region | ScratchRegion) => "element" in region && region.element === "f16";

/** Tells regions apart as text. */
export function regionKey(region: Region | ScratchRegion): string {
  switch (region.kind) {
    case "arena":
      return `arena ${region.index}`;
    case "state":
      return `state ${region.name}`;
    default:
      return region.kind;
  }
}
