/** A GPU whose devices a check can see, and so destroy. */

/**
 * `gpu`, but each device that it gives is kept in `devices`.
 *
 * @param onPipeline - told each pipeline that one of them gives.
 */
export function watched(
  gpu: GPU,
  devices: { push(device: GPUDevice): unknown },
  onPipeline?: (pipeline: GPUComputePipeline) => void,
): GPU {
  const deviceWatched = (device: GPUDevice): GPUDevice =>
    through(device, {
      async createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
        const pipeline = await device.createComputePipelineAsync(descriptor);
        onPipeline?.(pipeline);
        return pipeline;
      },
    });
  const adapterWatched = (adapter: GPUAdapter): GPUAdapter =>
    through(adapter, {
      async requestDevice(descriptor: GPUDeviceDescriptor) {
        const device = await adapter.requestDevice(descriptor);
        devices.push(device);
        return onPipeline ? deviceWatched(device) : device;
      },
    });
  return through(gpu, {
    async requestAdapter(given: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(given);
      return adapter && adapterWatched(adapter);
    },
  });
}

/** An object of the platform with some methods replaced; the others need the object itself as `this`. */
export function through<Type extends object>(target: Type, replaced: object): Type {
  return new Proxy(target, {
    get(_target, name) {
      if (name in replaced) return Reflect.get(replaced, name);
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
