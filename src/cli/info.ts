/** `divflow info`: what this machine offers, for choosing a backend and for reports of faults. */
import { defineCommand } from "citty";
import { createRuntime, DivflowError, UnsupportedError, wasmFeatures } from "../index.ts";
import { report } from "./output.ts";
import { findGPU } from "./webgpu.ts";

interface AdapterFacts {
  readonly description: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** The limits that decide what fits, in the order shown. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

export const info = defineCommand({
  meta: { name: "info", description: "Show runtimes, adapters, limits and features" },
  args: { json: { type: "boolean", description: "print one JSON document" } },
  async run({ args }) {
    const runtime = runtimeVersions();
    const { adapters, whyNone } = await listAdapters();
    const wasm = wasmFeatures();
    const yes = (value: boolean) => (value ? "yes" : "no");
    const taken = await takenByItself();
    report(args.json === true, { runtime, adapters, wasm, taken }, [
      `runtime    ${runtime.map(({ name, version }) => `${name} ${version}`).join(", ")}`,
      ...(adapters.length === 0
        ? [`webgpu     ${whyNone ?? "no adapter"}`]
        : adapters.flatMap(({ description, features, limits }) => [
            `webgpu     ${description}`,
            `  features ${features.join(", ") || "none"}`,
            ...Object.entries(limits).map(([name, value]) => `  ${name} ${value.toLocaleString("en")}`),
          ])),
      `wasm       SIMD ${yes(wasm.simd)}, relaxed SIMD ${yes(wasm.relaxedSimd)}, threads ${yes(wasm.threads)}`,
      `taken      ${taken}`,
    ]);
  },
});

/** What --backend auto takes here and why, in full. */
async function takenByItself(): Promise<string> {
  try {
    using runtime = await createRuntime({ backend: "auto", gpu: await findGPU() });
    return runtime.reason;
  } catch (error) {
    if (error instanceof DivflowError) return error.message;
    throw error;
  }
}

function runtimeVersions(): { name: string; version: string }[] {
  const versions: Readonly<Record<string, string | undefined>> = process.versions;
  const names = ["deno", "bun", "node", "v8"].filter((name) => versions[name] !== undefined);
  return names.map((name) => ({ name, version: versions[name] as string }));
}

async function listAdapters(): Promise<{ adapters: AdapterFacts[]; whyNone?: unknown }> {
  const gpu = await findGPU();
  const adapters: AdapterFacts[] = [];
  for (const powerPreference of ["high-performance", "low-power"] as const) {
    let adapter: GPUAdapter | null;
    try {
      adapter = await gpu.requestAdapter({ powerPreference });
    } catch (error) {
      if (error instanceof UnsupportedError) return { adapters, whyNone: error.facts.given };
      throw error;
    }
    if (!adapter) continue;
    const { vendor, architecture, device, description } = adapter.info;
    const facts = {
      description: [description || device, vendor, architecture].filter(Boolean).join(", ") || "unnamed adapter",
      features: [...adapter.features].sort(),
      limits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    };
    if (!adapters.some((other) => JSON.stringify(other) === JSON.stringify(facts))) adapters.push(facts);
  }
  return { adapters };
}
