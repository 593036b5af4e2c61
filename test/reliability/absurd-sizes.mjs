// Absurd sizes, each in a process of its own with a small heap and a time limit: right is a LimitError or ConfigError, of
// a command exit code 2, before much memory is taken. What works at the largest size named is tried too.
//
//   node test/reliability/absurd-sizes.mjs
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { conclude, isMain } from "./shared.mjs";

/** Of each process: seconds, megabytes of JavaScript's heap, and of all its memory when the error comes. */
const [SECONDS, HEAP, MEMORY] = [120, 512, 700];

const library = new URL("../../dist/index.js", import.meta.url).href;
const command = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** A trainer's options, of which some are replaced. @param {string} changes */
const trainer = (changes) =>
  `const options = { network: d.mlp({ dimension: 2, hidden: [16] }), path: d.condOT(), loss: d.fdm(), data: d.checkerboard(), batchSize: 16 };
  await d.createTrainer(runtime, { ...options, ${changes} });`;
/** A model's call. @param {string} call @param {string} network */
const model = (call, network = "{ dimension: 2, hidden: [16] }") =>
  `const network = d.mlp(${network});
  const data = d.arrayData(new Float32Array(2 * network.dimension).fill(1).map((_, i) => Math.sin(i)), [2, network.dimension]);
  const { model } = await d.createTrainer(runtime, { network, path: d.condOT(), loss: d.cfm(), data, batchSize: 4 });
  ${call}`;

/** By name: what the library is asked, which must refuse it. @type {Readonly<Record<string, string>>} */
const asked = {
  "1e8 layers": "d.mlp({ dimension: 2, hidden: new Array(1e8) })",
  "1e9 layers": "d.mlp({ dimension: 2, hidden: new Array(1e9) })",
  "1025 layers": "d.mlp({ dimension: 2, hidden: Array(1025).fill(8) })",
  "1024 layers, trained by FDM": trainer("network: d.mlp({ dimension: 2, hidden: Array(1024).fill(8) })"),
  "300 layers and 8 probes": trainer(
    "network: d.mlp({ dimension: 2, hidden: Array(300).fill(8) }), loss: d.fdm({ probes: 8 })",
  ),
  "16384 x 2": trainer("network: d.mlp({ dimension: 2, hidden: [16384, 16384] })"),
  "32768 x 2": trainer("network: d.mlp({ dimension: 2, hidden: [32768, 32768] })"),
  "32768 x 1000": trainer("network: d.mlp({ dimension: 2, hidden: Array(1000).fill(32768) })"),
  "a width of 1e12": "d.mlp({ dimension: 2, hidden: [1e12] })",
  "a dimension of 1e12": "d.mlp({ dimension: 1e12 })",
  "a batch of 2^20 at 4 x 512": trainer("network: d.mlp({ dimension: 2 }), batchSize: 2 ** 20"),
  "a batch of 1e12": trainer("batchSize: 1e12"),
  "1024 probes at 4 x 512": trainer("network: d.mlp({ dimension: 2 }), loss: d.fdm({ probes: 1024 })"),
  "1e12 probes": trainer("loss: d.fdm({ probes: 1e12 })"),
  "the exact divergence of 2000 dimensions, trained": trainer(
    "network: d.mlp({ dimension: 2000 }), loss: d.fdm({ estimator: 'exact' }), data: d.arrayData(new Float32Array(4000), [2, 2000])",
  ),
  "a seed beyond 2^53": trainer("seed: 2 ** 53"),
  "validation of 1e12 rows": trainer("data: d.arrayData(new Float32Array(20), [10, 2]), validation: 1e12"),
  "1e12 rows split": "d.splitRows(1e12, 0.1)",
  "1e12 points of a data set": "d.sampleData(d.checkerboard(), 1e12)",
  "1e12 samples": model("await model.sample({ count: 1e12 })"),
  "2^31 samples of two numbers": model("await model.sample({ count: 2 ** 31 })"),
  "2^22 samples at 400 times": model(
    "await model.sample({ count: 2 ** 22, times: Array.from({ length: 400 }, (_, i) => i / 400) })",
  ),
  "2^26 samples with 200 probes": model(
    "await model.sample({ count: 2 ** 26, logDensity: { divergence: 'hutchinson', probes: 200 } })",
  ),
  "1e12 steps of rk4": model("await model.sample({ count: 1, solver: d.rk4({ steps: 1e12 }) })"),
  "1e12 probes of a log-density": model("await model.logDensity([[0, 0]], { divergence: 'hutchinson', probes: 1e12 })"),
  "the exact log-density of 800 layers": model(
    "await model.logDensity([[0, 0]])",
    "{ dimension: 2, hidden: Array(800).fill(8) }",
  ),
  "a batch of 1e12 evaluated": model(
    "await d.evaluateLosses(runtime, model, { data, loss: d.fdm(), batchSize: 1e12 })",
  ),
  "1e12 batches evaluated": model("await d.evaluateLosses(runtime, model, { data, loss: d.fdm(), batches: 1e12 })"),
};

/** By name: what looks absurd and works. @type {Readonly<Record<string, string>>} */
const works = {
  "200 layers, trained by FDM": trainer("network: d.mlp({ dimension: 2, hidden: Array(200).fill(8) })"),
  "the exact log-density of 2000 dimensions": model(
    "await model.logDensity(new Float32Array(2000), { solver: d.euler({ steps: 1 }) })",
    "{ dimension: 2000, hidden: [16] }",
  ),
  "256 probes of a log-density": model(
    "await model.logDensity([[0, 0]], { divergence: 'hutchinson', probes: 256, solver: d.euler({ steps: 1 }) })",
  ),
};

/** A command's words; the file they name is not there. @type {string[]} */
const commands = [
  ...["layers 1e8", "layers 1e9", "width 1e12", "batch 1e12", "steps 1e12", "seed 9007199254740993", "patience 1e400"],
  ...["validation 1e12", "threads 1e12", "rate 1e300", "divergence 1e300", "ema 0.99999999999", "jitter 1e300"],
].flatMap((option) => ["train", "compare"].map((name) => `${name} missing.csv --out run --${option}`));
commands.push(
  ...["points 1e12", "seeds 1e12", "seed 9007199254740991", "test 1e12"].map(
    (one) => `compare missing.csv --out run --${one}`,
  ),
  ...["count 1e12", "seed 1e17", "threads 1e9", "solver rk4 --steps 1e12"].map(
    (one) => `sample missing.safetensors --out x.npy --${one}`,
  ),
  ...["divergence hutchinson --probes 1e12", "solver euler --steps 1e12"].map(
    (one) => `evaluate missing.safetensors --data missing.csv --${one}`,
  ),
  ...["bench --threads 1e12", "bench --seconds 1e12", "verify missing.json --tolerance 1e400"],
);

/** Runs Node and gives how it ended. @param {readonly string[]} words @param {string} cwd */
function run(words, cwd) {
  const started = performance.now();
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP}`, ...words], { cwd });
  const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * SECONDS);
  let [out, error] = ["", ""];
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    error += data;
  });
  return new Promise(
    (/** @type {(ended: { code: number | null, out: string, error: string, seconds: number }) => void} */ resolve) => {
      child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code, out, error, seconds: Math.round((performance.now() - started) / 100) / 10 });
      });
    },
  );
}

/** Asks the library in a process of its own. @param {string} body @param {string} cwd */
async function ask(body, cwd) {
  const script = `
    const d = await import(${JSON.stringify(library)});
    let told = { name: "none", message: "" };
      const runtime = await d.createRuntime({ backend: "wasm" });
      try { ${body} } catch (error) { told = { name: error.name, message: error.message }; }
      console.log(JSON.stringify({ ...told, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) }));
      process.exit(0);`;
  const { code, out, error, seconds } = await run(["--input-type=module", "--eval", script], cwd);
  try {
    return { ...JSON.parse(out), seconds };
  } catch {
    return { name: `ended with ${code}`, message: error.slice(-200), megabytes: 0, seconds };
  }
}

if (isMain(import.meta.url)) {
  const cwd = await mkdtemp(join(tmpdir(), "divflow-sizes-"));
  /** @type {Record<string, object>} */
  const details = {};
  let [tried, wrong] = [0, 0];
  /** @param {string} name @param {boolean} right @param {object} result */
  const conclusion = (name, right, result) => {
    details[name] = result;
    tried++;
    if (right) return;
    wrong++;
    console.log(`${name}: ${JSON.stringify(result)}`);
  };
  try {
    for (const [name, body] of Object.entries(asked)) {
      const result = await ask(body, cwd);
      conclusion(name, /^(LimitError|ConfigError)$/.test(result.name) && result.megabytes < MEMORY, result);
    }
    for (const [name, body] of Object.entries(works)) {
      const result = await ask(body, cwd);
      conclusion(name, result.name === "none", result);
    }
    for (const words of commands) {
      const { code, error, seconds } = await run([command, ...words.split(" ")], cwd);
      const line = error.trim().split("\n").at(-1) ?? "";
      conclusion(words, code === 2 && !line.includes("no such file"), { code, line, seconds });
    }
  } finally {
    await rm(cwd, { recursive: true });
  }
  await conclude("absurd-sizes", { tried, wrong, details });
}
