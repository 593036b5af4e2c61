/** `divflow info`: what this machine offers, for choosing a backend and for reports of faults. */
import { defineCommand } from "citty";
import { printable } from "../errors.ts";
import { createRuntime, DataError, DivflowError, UnsupportedError, wasmFeatures } from "../index.ts";
import { readBytes } from "./files.ts";
import { columnsIn, conditionsIn, factsIn } from "./model-facts.ts";
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
  meta: { name: "info", description: "Show runtimes, adapters, limits and features, or what a model file holds" },
  args: {
    model: {
      type: "positional",
      description: "a model file, of which is said what it is and is told",
      required: false,
    },
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    if (args.model !== undefined) {
      const { document, lines } = modelFacts(args.model, await readBytes(args.model));
      report(args.json === true, document, lines);
      return;
    }
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

/** What a model file says of itself; it is not checked, as load does. */
function modelFacts(file: string, bytes: Uint8Array): { document: object; lines: string[] } {
  const facts = factsIn(bytes);
  if (!facts) {
    throw new DataError({
      subject: file,
      given: "no facts of a model",
      expected: "a model file that divflow wrote",
      remedy: "Of a file of weights alone, such as PyTorch's, only its tensors are known.",
    });
  }
  const { network, step, backend, training } = facts as {
    readonly network?: {
      readonly kind?: string;
      readonly config?: { readonly name?: unknown; readonly dimension?: number; readonly sample?: unknown };
    };
    readonly [name: string]: unknown;
  };
  const [columns, conditions] = [columnsIn(bytes), conditionsIn(bytes)];
  const shape = facts["shape"] ?? network?.config?.sample ?? [network?.config?.dimension];
  const { path, output } = pathIn(facts["path"]);
  const [start, coupling] = [facts["start"], facts["coupling"]].map((one) => (one ? nameOf(one) : undefined));
  const kind = network?.kind === "graph" ? printable(String(network.config?.name), 60) : network?.kind;
  const loss = lossIn(training);
  const known = {
    network: kind,
    shape,
    path,
    output,
    start,
    coupling,
    ...(loss ? { loss } : {}),
    step,
    backend,
    columns,
    conditions,
  };
  const told = Object.entries(conditions ?? {}).map(([name, { classes, names }]) => {
    const kinds = names?.map((one) => printable(one, 60)).join(", ") ?? `labels 0 to ${(classes ?? 1) - 1}`;
    return `  ${printable(name, 60)}  ${classes === undefined ? "numbers" : kinds}`;
  });
  return {
    document: known,
    lines: [
      `network    ${kind}, samples of shape [${(shape as readonly number[]).join(", ")}]`,
      `path       ${path}, the network gives ${output}`,
      ...(start ? [`start      ${start}, in place of noise`] : []),
      ...(coupling ? [`coupling   ${coupling}`] : []),
      ...(loss ? [`loss       ${loss}`] : []),
      `trained    ${step} steps on ${backend}${training === null ? ", a model alone" : ""}`,
      ...(columns ? [`columns    ${columns.map((one) => printable(one, 60)).join(", ")}`] : []),
      ...(told.length > 0 ? ["told       of each sample, by --label and --condition", ...told] : []),
    ],
  };
}

/** The loss that a trainer's file goes on with, in words: `fdm, weighed by noise, times even`. */
function lossIn(training: unknown): string | undefined {
  const { loss } = Object(training) as { readonly loss?: unknown };
  if (loss === undefined) return undefined;
  const { loss: of, by, times, every } = namedIn(loss).options;
  const isWeighted = by !== undefined;
  return [
    of === undefined ? nameOf(loss) : nameOf({ name: of }),
    ...(isWeighted ? [`weighed by ${typeof by === "string" ? printable(by, 60) : nameOf({ options: by })}`] : []),
    ...(times === "even" ? ["times even"] : []),
    ...(every ? [`divergence every ${printable(String(every), 20)} steps`] : []),
    ...(of === undefined || isWeighted ? [] : ["with a score beside"]),
  ].join(", ");
}

/** The path by name, and what the network's output is on it. */
function pathIn(given: unknown): { path: string; output: string } {
  const { name, options } = namedIn(given);
  if (name === "with-output")
    return { path: nameOf(options["path"]), output: printable(String(options["output"]), 60) };
  return { path: nameOf(given), output: "simplex" in options ? "logits of letters" : "velocity" };
}

/** The name of a part; of one that is kept as a graph, that which its user gave it. */
function nameOf(given: unknown): string {
  const { name, options } = namedIn(given);
  return printable(String(options["name"] ?? name), 60);
}

function namedIn(given: unknown): { name: unknown; options: Readonly<Record<string, unknown>> } {
  const { name, options } = Object(given) as Readonly<Record<string, unknown>>;
  return { name, options: Object(options) as Readonly<Record<string, unknown>> };
}

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
