/**
 * WebGPU for the command: the platform's own (Deno), or in Node that of the npm package "webgpu", which is Dawn.
 *
 * Dawn writes native warnings to standard error where it finds no driver, and a broken driver ends the process that
 * loads it. So a process of its own looks first: what it writes is the reason why there is no adapter. It takes about
 * as long as Node takes to start.
 */
import { type ExecFileException, execFile } from "node:child_process";
import { UnsupportedError } from "../index.ts";

/** Milliseconds after which a driver counts as one that hangs. */
const PROBE_TIMEOUT = 20_000;

const probe = `
const { create, globals } = await import(process.argv[1]);
Object.assign(globalThis, globals);
const adapter = await create([]).requestAdapter({ powerPreference: "high-performance" });
process.stdout.write(adapter ? "found" : "none", () => process.exit());
`;

/** Where WebGPU comes from here; where there is none, one whose `requestAdapter` rejects with the reason. */
export async function findGPU(): Promise<GPU> {
  const own = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (own) return own;
  const missing = await whyDawnIsMissing();
  if (missing) {
    const none: Pick<GPU, "requestAdapter"> = { requestAdapter: () => Promise.reject(missing) };
    return none as GPU;
  }
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals); // GPUBufferUsage and its like
  return create([]);
}

async function whyDawnIsMissing(): Promise<UnsupportedError | undefined> {
  let url: string;
  try {
    url = import.meta.resolve("webgpu");
  } catch (cause) {
    return missing('no npm package "webgpu"', "npm install webgpu, next to divflow.", cause);
  }
  const { found, words } = await ask(url);
  return found ? undefined : missing(`no adapter: ${words}`, "A GPU needs its Vulkan, Metal or D3D12 driver.");
}

/** Whether Dawn finds an adapter, in a process of its own; if not, what it says of it. */
function ask(url: string): Promise<{ found: boolean; words: string }> {
  const parameters = ["--input-type=module", "--eval", probe, url];
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { timeout: PROBE_TIMEOUT }, (error, output, errors) => {
      resolve({ found: output === "found", words: firstWarning(errors) ?? `Dawn ended with ${endOf(error)}` });
    });
  });
}

/** Dawn's first warning; drivers and the Vulkan loader say much else beside. */
function firstWarning(errors: string): string | undefined {
  return /^Warning: (.*?)[.!]?$/m.exec(errors)?.[1];
}

function endOf(error: ExecFileException | null): string {
  return String(error ? (error.signal ?? error.code) : "no adapter");
}

function missing(given: string, remedy: string, cause?: unknown): UnsupportedError {
  return new UnsupportedError(
    { subject: "WebGPU in Node", given, expected: "a GPU that Dawn can use", remedy },
    { cause },
  );
}
