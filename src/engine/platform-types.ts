/**
 * What is used of the platform's WebGPU where users hand it in, in words of our own: they compile with whatever types of
 * WebGPU they have, or with none.
 */

/** A `navigator.gpu`, or what stands in for one. */
export interface GPUSource {
  requestAdapter(options?: { readonly powerPreference?: "low-power" | "high-performance" }): Promise<object | null>;
}

/** A `GPUDevice`. */
export interface GPUDeviceSource {
  readonly features: object;
  readonly limits: object;
  readonly lost: Promise<unknown>;
  readonly queue: object;
  createBuffer(descriptor: never): object;
  destroy(): unknown;
}
