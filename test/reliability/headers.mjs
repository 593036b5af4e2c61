/**
 * `node test/reliability/headers.mjs [--count N] [--seed S]`, from a built checkout: 20,000 model files whose header is
 * damaged, opened by `load` and by `resume`: of a plain run, of one that is told labels and numbers and has samples of a
 * shape, of one whose network, path, loss and data are a user's own graphs, and of version 0.1.0. Right is
 * - a CheckpointError, a DataError where the file asks for other data than are given, or a LimitError where it asks for
 *   sizes that do not fit, with a message that is short and escaped; or
 * - a file that opens and means what it says: saved again at once it holds, field by field, what JSON.parse reads in the
 *   damaged file, and the bits of the undamaged file's tensors. Nothing is a default, and no name stands twice.
 * So a changed rate is right only where it is a valid rate written in the file, and in a file with its checksum never.
 */
import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { damagedHeader, partsOf } from "./damage-header.mjs";
import { graphRun, toldRun } from "./header-runs.mjs";
import { built, builtNetworks, campaign, faultOfMessage, isMain } from "./shared.mjs";

/** @typedef {typeof import("../../src/index.ts")} Divflow */
/** @typedef {typeof import("../../src/networks.ts")} Networks */

/** The points of test/checkpoints/0.1.0/points.safetensors. */
const points = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i) + 0.1 * i);

/** What damaged files are tried with. @param {Divflow} divflow @param {Networks} networks */
export async function openedBy(divflow, networks) {
  const { adamW, arrayData, condOT, cosineDecay, createRuntime, ema, fdm, mlp, product, warmUp } = divflow;
  const runtime = await createRuntime({ backend: "reference" });
  const named = arrayData([...points], [12, 2], { standardize: true, columns: ["a", "b"] });
  const plain = {
    network: mlp({ dimension: 2, hidden: [4], activation: "tanh" }),
    path: condOT(),
    loss: fdm(),
    optimizer: adamW({ learningRate: product(1e-2, warmUp({ steps: 3 }), cosineDecay({ steps: 50, final: 0.1 })) }),
    data: named,
    batchSize: 4,
    ema: ema({ decay: 0.5 }),
    maximumGradientNorm: 1,
    jitter: 0.1,
    validation: 3,
    validateEvery: 1,
    earlyStopping: { patience: 5 },
  };
  const runs = [plain, toldRun(divflow, networks), graphRun(divflow, networks)];
  const written = [];
  for (const options of runs) {
    const trainer = await runtime.createTrainer(options);
    for await (const _ of trainer.run({ steps: 2 }));
    written.push(await trainer.checkpoint());
    trainer.dispose();
  }
  const fixture = (/** @type {string} */ name) =>
    readFile(new URL(`../checkpoints/0.1.0/${name}.safetensors`, import.meta.url));
  const files = [...written, await fixture("mixture"), await fixture("points")];
  const data = [...runs.map(({ data }) => data), undefined, arrayData(points, [12, 2], { standardize: true })];
  /** The undamaged files, opened and saved. */
  const saved = [];
  for (const [i, bytes] of files.entries()) {
    const given = data[i];
    const resumed = await runtime.resumeTrainer(new Uint8Array(bytes), given ? { data: given } : {});
    saved.push(partsOf(await resumed.checkpoint()));
    resumed.dispose();
  }
  return { runtime, files: files.map((bytes) => partsOf(new Uint8Array(bytes))), saved, data };
}

/**
 * What comes of the damaged file of a seed.
 * @param {Divflow} divflow
 * @param {Awaited<ReturnType<typeof openedBy>>} opened
 * @param {number} seed
 * @returns {Promise<import("./shared.mjs").Verdict>}
 */
export async function tryHeader({ CheckpointError, DataError, LimitError }, { runtime, files, saved, data }, seed) {
  const { kind, bytes, base, twice } = damagedHeader(files, seed);
  const judged = (/** @type {unknown} */ error) => {
    const otherData =
      error instanceof DataError &&
      /^(data|(columns|names of condition ".*") of the data) to resume/.test(error.message);
    const expected = error instanceof CheckpointError || error instanceof LimitError || otherData;
    return expected ? faultOfMessage(error) : `${error instanceof Error ? error.stack : error}`;
  };
  try {
    (await runtime.loadModel(bytes)).dispose();
  } catch (error) {
    const wrong = judged(error);
    if (wrong !== undefined) return { kind, outcome: "wrong", wrong: `load: ${wrong}` };
  }
  let again;
  try {
    const given = data[base];
    const trainer = await runtime.resumeTrainer(bytes, given ? { data: given } : {});
    again = partsOf(await trainer.checkpoint());
    trainer.dispose();
  } catch (error) {
    const wrong = judged(error);
    if (wrong !== undefined) return { kind, outcome: "wrong", wrong: `resume: ${wrong}` };
    return { kind, outcome: "refused" };
  }
  const [damaged, file, kept] = [partsOf(bytes), files[base], saved[base]].map((parts) => /** @type {Parts} */ (parts));
  const wrong = twice ? "opens, though a name stands twice" : difference({ damaged, again, file, saved: kept });
  return wrong === undefined ? { kind, outcome: "opens as it says" } : { kind, outcome: "wrong", wrong };
}

/** @typedef {import("./damage-header.mjs").Parts} Parts */

/** @param {{ damaged: Parts, again: Parts, file: Parts, saved: Parts }} parts - `again` and `saved` are of `damaged` and `file`. */
function difference({ damaged, again, file, saved }) {
  const [said, kept] = [damaged, again].map(factsOf);
  // What is another between a file and the same saved again may be another here: fingerprints of 0.1.0 were of f32.
  const renewed = (/** @type {any} */ facts) => facts.training.data.options.fingerprint;
  if (renewed(said) && renewed(said) === renewed(factsOf(file)))
    said.training.data.options.fingerprint = renewed(factsOf(saved));
  if (!isDeepStrictEqual(roughly(said), roughly(kept))) {
    return `opens otherwise than it says: ${JSON.stringify(said).slice(0, 2000)} became ${JSON.stringify(kept).slice(0, 2000)}`;
  }
  return isDeepStrictEqual(tensorsOf(again), tensorsOf(saved)) ? undefined : "opens with other tensors";
}

/** What a file says, but for the version and the backend that saved it. @param {Parts} parts */
function factsOf({ header }) {
  const metadata = /** @type {Record<string, string>} */ (header["__metadata__"]);
  const { version, backend, ...facts } = JSON.parse(/** @type {string} */ (metadata["divflow"]));
  return JSON.parse(JSON.stringify(facts)); // -0, which JSON writes as 0
}

/**
 * The order of `vectors` means nothing, nor whether the f64 reference adds its parameters; mean and deviation are those of
 * the data given, within what another order of summing makes of them.
 * @param {any} facts
 */
function roughly({ standardization, vectors, conditions, ...facts }) {
  const rounded = (/** @type {number} */ value) => value.toPrecision(6);
  const units = (/** @type {{ mean: number[], std: number[] } | undefined} */ given) =>
    given && { mean: given.mean.map(rounded), std: given.std.map(rounded) };
  const told = Object.entries(conditions ?? {}).map(([name, { standardization, ...rest }]) => [
    name,
    { ...rest, standardization: units(standardization) },
  ]);
  return {
    ...facts,
    vectors: vectors.filter((/** @type {string} */ name) => name !== "parameters").sort(),
    standardization: units(standardization),
    conditions: told,
  };
}

/** Bytes of each tensor. @param {import("./damage-header.mjs").Parts} parts */
function tensorsOf({ header, data }) {
  const { __metadata__, ...entries } = header;
  return Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => {
      const { dtype, shape, data_offsets } =
        /** @type {{ dtype: string, shape: number[], data_offsets: [number, number] }} */ (entry);
      return [name, { dtype, shape, bytes: Buffer.from(data.subarray(...data_offsets)).toString("hex") }];
    }),
  );
}

if (isMain(import.meta.url)) {
  const divflow = await built();
  const opened = await openedBy(divflow, await builtNetworks());
  await campaign("headers", 20_000, (seed) => tryHeader(divflow, opened, seed));
  opened.runtime.dispose();
}
