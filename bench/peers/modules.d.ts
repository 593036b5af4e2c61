/**
 * The peers' interfaces as far as the bench uses them. The root checkout is type-checked without them: they are
 * dependencies of bench/ alone, and installed by `npm run bench`.
 */

declare module "@jax-js/jax" {
  /** Counted: passing one on gives it away, `ref` keeps it. */
  export interface Array {
    readonly ref: this;
    add(other: Array | number): Array;
    sub(other: Array | number): Array;
    mul(other: Array | number): Array;
    div(other: Array | number): Array;
    neg(): Array;
    transpose(): Array;
    reshape(shape: number[]): Array;
    data(): Promise<Float32Array>;
    dispose(): void;
  }
  export const numpy: {
    array(values: Float32Array, options: { shape: number[] }): Array;
    zeros(shape: number[]): Array;
    matmul(left: Array, right: Array): Array;
    concatenate(parts: Array[], axis: number): Array;
    broadcastTo(value: Array, shape: number[]): Array;
    sum(value: Array, axis?: number): Array;
    mean(value: Array): Array;
    square(value: Array): Array;
    sqrt(value: Array): Array;
  };
  export const nn: { silu(value: Array): Array };
  export const lax: { stopGradient(value: Array): Array };
  export const tree: { ref<Tree>(value: Tree): Tree; dispose(value: unknown): void };
  export function init(device: "wasm" | "webgpu"): Promise<string[]>;
  export function defaultDevice(device: "wasm" | "webgpu"): void;
  export function jit<Function extends (...inputs: never[]) => unknown>(call: Function): Function & { dispose(): void };
  export function jvp(call: (x: Array) => Array, primals: [Array], tangents: [Array]): [Array, Array];
  export function valueAndGrad<Parameters, Inputs>(
    call: (parameters: Parameters, inputs: Inputs) => Array,
  ): (parameters: Parameters, inputs: Inputs) => [Array, Parameters];
  export function blockUntilReady<Tree>(value: Tree): Promise<Tree>;
}

declare module "@tensorflow/tfjs-core" {
  export interface Tensor {
    readonly shape: number[];
    data(): Promise<Float32Array>;
    dispose(): void;
  }
  export interface Variable extends Tensor {
    readonly name: string;
  }
  type Operand = Tensor | number;
  export function tensor(values: Float32Array, shape: number[]): Tensor;
  export function variable(value: Tensor): Variable;
  export function fill(shape: number[], value: number): Tensor;
  export function zeros(shape: number[]): Tensor;
  export function zerosLike(value: Tensor): Tensor;
  export function clone(value: Tensor): Tensor;
  export function add(a: Operand, b: Operand): Tensor;
  export function sub(a: Operand, b: Operand): Tensor;
  export function mul(a: Operand, b: Operand): Tensor;
  export function square(value: Tensor): Tensor;
  export function sigmoid(value: Tensor): Tensor;
  export function mean(value: Tensor): Tensor;
  export function sum(value: Tensor, axis: number): Tensor;
  export function concat(parts: Tensor[], axis: number): Tensor;
  export function transpose(value: Tensor): Tensor;
  export function matMul(a: Tensor, b: Tensor): Tensor;
  export function tidy<Result>(work: () => Result): Result;
  export function dispose(values: unknown): void;
  export function customGrad(
    call: (...inputs: [...Tensor[], save: (values: Tensor[]) => void]) => {
      value: Tensor;
      gradFunc: (gradient: Tensor, saved: Tensor[]) => Tensor | Tensor[];
    },
  ): (...inputs: Tensor[]) => Tensor;
  export function variableGrads(
    call: () => Tensor,
    variables: Variable[],
  ): { value: Tensor; grads: Record<string, Tensor> };
  export const train: {
    adam(
      rate: number,
      beta1: number,
      beta2: number,
      epsilon: number,
    ): {
      applyGradients(gradients: Record<string, Tensor>): void;
      dispose(): void;
    };
  };
  export function setBackend(name: string): Promise<boolean>;
  export function ready(): Promise<void>;
  export function env(): { set(flag: string, value: boolean): void };
}
declare module "@tensorflow/tfjs-core/dist/register_all_gradients.js" {}
declare module "@tensorflow/tfjs-backend-wasm" {
  export function setWasmPaths(folder: string): void;
  export function setThreadsCount(count: number): void;
  export function getThreadsCount(): number;
}
declare module "@tensorflow/tfjs-backend-webgpu" {}

declare module "onnxruntime-web" {
  export class Tensor {
    constructor(type: "float32", values: Float32Array, shape: readonly number[]);
    constructor(type: "int64", values: BigInt64Array, shape: readonly number[]);
    readonly dims: readonly number[];
    /** Of a tensor that is not on a GPU. */
    readonly data: Float32Array | BigInt64Array;
    getData(): Promise<Float32Array>;
    dispose(): void;
  }
  export class InferenceSession {
    static create(model: Uint8Array, options: Record<string, unknown>): Promise<InferenceSession>;
    readonly inputNames: readonly string[];
    readonly outputNames: readonly string[];
    run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
    release(): Promise<void>;
  }
  export const env: { wasm: { wasmPaths: string; numThreads: number } };
}
declare module "onnxruntime-web/wasm" {
  export * from "onnxruntime-web";
}
declare module "onnxruntime-web/webgpu" {
  export * from "onnxruntime-web";
}
