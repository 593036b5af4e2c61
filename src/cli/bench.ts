/**
 * `divflow bench`: how fast divflow is on this machine, in this runtime. The measuring is done by dist/bench/, in child
 * processes with flags of their own; a checkout's `npm run bench` has the same rows beside those of other libraries.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { defineCommand } from "citty";
import { number, oneOf, positiveInteger } from "./arguments.ts";
import { exitCodes, isQuiet } from "./output.ts";
import { interruption, wasInterrupted } from "./signals.ts";

/** The built bench, beside the built command. */
const script = fileURLToPath(new URL("./bench/own.js", import.meta.url));

const parts = ["fdm", "cfm", "sample", "logdensity", "matmul"] as const;
/** Those whose losses are known. */
const widths = ["64", "128", "512", "1024"] as const;
/** Of the sizes that bench/README.md says. */
const networks = ["unet1d", "unet1d-small", "cnn", "cnn-toy", "unet2d", "sit", "transformer"] as const;

export const bench = defineCommand({
  meta: { name: "bench", description: "Measure training steps, sampling and products on this machine" },
  args: {
    only: { type: "string", description: `any of ${parts.join(", ")}, separated by commas`, default: parts.join(",") },
    width: { type: "string", description: "hidden widths (four layers)", default: widths.join(",") },
    network: {
      type: "string",
      description: `CFM and FDM steps of these networks instead, or of all: ${networks.join(", ")}`,
    },
    backend: { type: "string", description: "wasm, webgpu or both", default: "wasm,webgpu" },
    threads: { type: "string", description: "threads of wasm, one measurement for each number", default: "1,2" },
    simd: { type: "string", description: "builds of wasm: plain, relaxed or both", default: "plain,relaxed" },
    seconds: { type: "string", description: "to spend on each figure", default: "2" },
    profile: { type: "boolean", description: "time each kernel call of one training step instead" },
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const selection = {
      only: listOf("--only", args.only, (option, text) => oneOf(option, text, parts)),
      width: listOf("--width", args.width, (option, text) => Number(oneOf(option, text, widths))),
      backend: listOf("--backend", args.backend, (option, text) => oneOf(option, text, ["wasm", "webgpu"])),
      threads: listOf("--threads", args.threads, (option, text) => positiveInteger(option, text, 64)),
      simd: listOf("--simd", args.simd, (option, text) => oneOf(option, text, ["plain", "relaxed"])),
    };
    const fits = (value: number) => value > 0 && value <= 86_400;
    const seconds = number("--seconds", args.seconds, "a positive number, at most 86400", fits);
    const network =
      args.network === undefined
        ? undefined
        : args.network === "all"
          ? networks
          : listOf("--network", args.network, (option, text) => oneOf(option, text, [...networks, "all"]));
    return runScript({
      selection,
      ...(network ? { network } : {}),
      seconds,
      json: args.json === true,
      profile: args.profile === true,
      quiet: isQuiet(),
    });
  },
});

/** What a comma-separated list names, each checked, each once. */
function listOf<Value>(option: string, list: string, read: (option: string, text: string) => Value): Value[] {
  return [...new Set(list.split(",").map((text) => read(option, text.trim())))];
}

/** Runs the bench with this terminal as its own, and waits for it; a signal that reached this process alone is handed on. */
function runScript(options: object): Promise<number> {
  const flags = "deno" in process.versions ? ["run", "--allow-all", "--unstable-webgpu"] : [];
  const child = spawn(process.execPath, [...flags, script, JSON.stringify(options)], { stdio: "inherit" });
  const interrupted = interruption();
  interrupted.signal.addEventListener("abort", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve(wasInterrupted() ? exitCodes.interrupted : (code ?? exitCodes.failure));
    });
  });
}
