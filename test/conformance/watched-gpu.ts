/** A GPU whose devices a check can see, and so destroy. */

/** `gpu`, but each device that it gives is kept in `devices`. */
export function watched(gpu: GPU, devices: GPUDevice[]): GPU {
  const adapterWatched = (adapter: GPUAdapter): GPUAdapter =>
    through(adapter, {
      async requestDevice(descriptor: GPUDeviceDescriptor) {
        const device = await adapter.requestDevice(descriptor);
        devices.push(device);
        return device;
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
function through<Type extends object>(target: Type, replaced: object): Type {
  return new Proxy(target, {
    get(_target, name) {
      if (name in replaced) return Reflect.get(replaced, name);
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
