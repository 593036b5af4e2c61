// A device that was handed in outlives the backends on it.
import { expect, test } from "vitest";
import { Health } from "../../src/backends/webgpu/health.ts";
import { Kept } from "../collect.mjs";

function device() {
  let lose: (info: GPUDeviceLostInfo) => void = () => {};
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
    lose = resolve;
  });
  const made = Object.assign(new EventTarget(), { lost }) as unknown as GPUDevice;
  return { made, lose: (message: string) => lose({ reason: "unknown", message } as GPUDeviceLostInfo) };
}

test("it holds none that is disposed of, whatever waited for it", async () => {
  const { made, lose } = device();
  const kept = new Kept();
  const use = async () => {
    for (let i = 0; i < 50; i++) {
      const health = kept.note(new Health(made));
      health.lost.then(() => health.check());
      await health.whileAlive(Promise.resolve(i));
      health.dispose();
    }
  };
  await use();
  expect(await kept.count()).toBe(0);
  const alive = new Health(made);
  const waiting = alive.whileAlive(new Promise(() => {}));
  lose("the driver was reset");
  await expect(waiting).rejects.toMatchObject({ facts: { given: "the driver was reset" } });
  await expect(alive.lost).resolves.toBe("the driver was reset");
});
