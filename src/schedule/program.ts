/**
 * A program: a graph compiled by a plan. It is data: kernel calls in order, with parameters, places in memory, bytes
 * and FLOPs. Backends run it; tests count it; `describe` prints it.
 */
import type { Graph, StateDeclaration } from "../graph/graph.ts";
import type { DType } from "../graph/node.ts";

/**
 * Where a value lies. An arena holds temporaries; when `PlanLimits.separateReadAndWrite` is set there are several,
 * and no call but `elementwise` reads and writes the same one. `constants` holds the program's tables.
 *
 * The elements of an arena of "f16" take 2 bytes each. Only chains touch it, and products as `left`, `right`, `out`: they
 * compute in f32 and round what they store. (No plan has states of f16: a backend that measures a call makes them.)
 */
export type Region =
  | { readonly kind: "arena"; readonly index: number; readonly element?: "f16" }
  | { readonly kind: "state"; readonly name: string; readonly element?: "f16" }
  | { readonly kind: "constants" };

/** A range of a region, in its elements. Allocations begin at multiples of 64 elements; views need not. */
export interface Placement {
  readonly region: Region;
  readonly offset: number;
  readonly length: number;
  /** In an arena of f16: what lies there is the values times this power of 2. */
  readonly scale?: number;
}

/**
 * What feeds a step of an elementwise chain: an earlier step's result, a load, an immediate, or, in the epilogue of a
 * product, the product's element in row group `index`.
 */
export type ElementwiseOperand =
  | { readonly from: "product"; readonly index: number }
  | { readonly from: "step"; readonly index: number }
  | { readonly from: "load"; readonly index: number }
  | { readonly from: "constant"; readonly value: number };

/** Of a load: floor(i / divisor) mod modulus elements `stride` apart. */
export interface LoadTerm {
  readonly divisor: number;
  readonly modulus: number;
  readonly stride: number;
}

/**
 * Element i of the chain reads element (floor(i / divisor) mod modulus) * stride of the placement, and as much farther as
 * each further term says: how broadcasts, columns and parts of wider matrices are read.
 */
export interface ElementwiseLoad {
  readonly placement: Placement;
  readonly divisor: number;
  readonly modulus: number;
  /** Default 1. */
  readonly stride?: number;
  /** Further ones, at most three, none of one element; their divisors are multiples of divisor * modulus. */
  readonly terms?: readonly LoadTerm[];
  readonly dtype: DType;
}

/** `function` is a name from src/kernels/elementwise.ts; the result is the chain's value number k for step k. */
export interface ElementwiseStep {
  readonly function: string;
  readonly operands: readonly ElementwiseOperand[];
  readonly dtype: DType;
  /** Which random number, when the function is one of `randomFunctions`; its operands are seed (two words), counter. */
  readonly random?: RandomDraw;
}

/** Element i of a chain draws element i * stride + offset of a stream, as the `random` kernel numbers them. */
export interface RandomDraw {
  readonly stream: number;
  /** For "randomIndex": numbers are below it; else 0. */
  readonly bound: number;
  readonly stride: number;
  readonly offset: number;
}

/** Element floor(i / width) * stride + i mod width of the placement takes element i of the source. */
export interface ElementwiseStore {
  readonly placement: Placement;
  readonly source: ElementwiseOperand;
  readonly dtype: DType;
  /** Default 1. */
  readonly stride?: number;
  /** Columns of a matrix of `stride` columns; less than `stride`, or 1. Default 1. */
  readonly width?: number;
}

/**
 * A fused chain over `count` elements. A store may overwrite the place of a load of the same chain when that load has
 * divisor 1 and modulus `count` and the two placements are equal (in place); other overlaps do not occur.
 */
export interface ElementwiseChain {
  readonly count: number;
  readonly loads: readonly ElementwiseLoad[];
  readonly steps: readonly ElementwiseStep[];
  readonly stores: readonly ElementwiseStore[];
}

/** One kernel call. `bindings` and `parameters` are those its declaration in src/kernels names. */
export interface KernelCall {
  readonly kernel: string;
  /** What it computes, for people and GPU labels: "t2 from p: silu0; p = t1 parameters + parameters". */
  readonly label: string;
  /** Fields of the kernel's parameter struct, but for the `...Offset` fields, which the backend fills in. */
  readonly parameters: Readonly<Record<string, number>>;
  /** By binding name. An optional binding that is not used is absent. */
  readonly bindings: Readonly<Record<string, Placement>>;
  /**
   * The chain, when `kernel` is "elementwise"; the epilogue, when it is "linear": then over rows / groups rows, its
   * operands among them the product's row groups, and what it stores is all that is kept of the product.
   */
  readonly chain?: ElementwiseChain;
  /** Floating-point operations, a fused multiply-add counting 2. */
  readonly flops: number;
  /** Bytes read and written, each operand once. */
  readonly bytes: number;
}

/** A temporary value of a program. */
export interface Temporary {
  /** As labels have it: "t3". */
  readonly name: string;
  /** All elements that calls need. */
  readonly placement: Placement;
  /** Positions of the first and the last call that need it. */
  readonly firstCall: number;
  readonly lastCall: number;
}

export interface Program {
  readonly name: string;
  /** All state the program reads or writes. */
  readonly state: readonly StateDeclaration[];
  readonly calls: readonly KernelCall[];
  /** The size of each arena, in words of 4 bytes. */
  readonly arenas: readonly number[];
  /** What lies in the arenas, by first call; for people. */
  readonly temporaries?: readonly Temporary[];
  /** Contents of the `constants` region; bits of u32 tables are stored as u32. */
  readonly constants: Uint32Array;
  /** Bytes of all arenas. */
  readonly peakBytes: number;
  /** The most bytes of temporaries live at once in this order of calls: no placement can take less. */
  readonly lowerBoundBytes: number;
  /** What it was compiled from: the reference backend evaluates this instead of the calls. */
  readonly graph: Graph;
}

/** What a plan must respect; a backend states it. */
export interface PlanLimits {
  /** Most bytes of one buffer, so of one arena or state. */
  readonly maxBufferBytes: number;
  /** Most bytes of all buffers together, where that is known. */
  readonly maxTotalBytes?: number;
  /** Most bytes of one binding. */
  readonly maxBindingBytes: number;
  /** Most storage bindings of one kernel call; an elementwise chain needs one for each region it touches. */
  readonly maxStorageBindings: number;
  /** Most row groups of a product with an epilogue; 0: no epilogues. */
  readonly maxEpilogueGroups: number;
  /**
   * Kernels that the backend has of those that not every backend has. Plans call them only where a graph has the op of
   * that name, so whoever builds graphs asks. None on WASM and the reference.
   */
  readonly optionalKernels?: readonly string[];
  /** Matrices of reverse mode of at least so many elements are f16 in memory. Left out: none. */
  readonly halvesFrom?: number;
  /** WebGPU forbids reading and writing one buffer in one dispatch through different bindings. */
  readonly separateReadAndWrite: boolean;
}
