/** Reading model files, whose form checkpoint.ts describes, and PyTorch's. What a file says is checked field by field. */
import { onDemand } from "../backends/on-demand.ts";
import { ConfigError } from "../errors.ts";
import { condOT } from "../flow/paths/cond-ot.ts";
import { onPath, type PathScheduler } from "../flow/paths/path.ts";
import type { NamedOptions } from "../graph/options.ts";
import { type Network, parameterLayout } from "../nn/network.ts";
import { fromTorch, torchShape } from "../nn/torch.ts";
import { CHECKSUM, type FlatVector, HELD_OUT, METADATA, type ModelRecord, PREFIX } from "./checkpoint.ts";
import { type ExpectedTensor, expectFinite, expectTensors } from "./expect-tensors.ts";
import { inferNetwork, layerTensors } from "./infer-network.ts";
import { isLayers } from "./layer-names.ts";
import { DAMAGED } from "./model-fields.ts";
import { type Facts, isNetwork, parseMetadata } from "./read-metadata.ts";
import { readSafetensors } from "./read-safetensors.ts";
import { damage, type StoredTensor, type TensorFile } from "./safetensors.ts";

export interface ReadOptions {
  /** The file's name, for messages. */
  readonly source?: string;
  /** For files without divflow's metadata: what cannot be read off the weights. */
  readonly activation?: string | undefined;
  readonly path?: PathScheduler | undefined;
  /** The network that the file is of: what it names otherwise is refused. */
  readonly network?: Network | undefined;
  /** Of weights alone whose network is to be inferred: options that names and shapes do not tell. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** Taken where the file is of this one; of another network the file's own is. */
  readonly known?: Network | undefined;
}

/**
 * The model in the bytes of a safetensors file, divflow's own or PyTorch's.
 *
 * @throws {@link CheckpointError} when the file is damaged, or its tensors do not fit the network it names.
 * @throws {@link ConfigError} when a file of weights alone comes without the activation.
 */
export async function readCheckpoint(bytes: Uint8Array, options: ReadOptions = {}): Promise<ModelRecord> {
  const { source = "model file" } = options;
  const file = readSafetensors(bytes, source);
  const json = file.metadata[METADATA];
  if (json !== undefined) {
    const facts = await parseMetadata(json, file.metadata[CHECKSUM], source, options.network ?? options.known);
    refuseOthers(options, facts, source);
    const { vectors, best, ...rest } = facts;
    return { ...rest, network: onPath(rest.network, rest.path), ...takeTensors(facts, file, source) };
  }
  const { network, prefix, tensors } = await networkIn(file, options, source);
  const own = { ...file, tensors };
  const where = prefix === "" ? source : `${source}, under "${prefix}"`;
  expectTensors(own, new Map(network.parameters.map((each) => [each.name, { shape: torchShape(each) }])), where);
  const { path = condOT() } = options;
  return {
    network: onPath(network, path),
    path,
    standardization: undefined,
    step: 0,
    backend: "unknown",
    parameters: readWeights(own, network, where),
    average: undefined,
    training: undefined,
  };
}

/** The network of weights alone, and which tensors are its own. */
async function networkIn(file: TensorFile, options: ReadOptions, source: string) {
  const { network = options.known } = options;
  const isPlain = network === undefined || (network.kind === "mlp" && !network.conditions);
  if (!isPlain || !isLayers(file.tensors.keys())) {
    const { torchNetwork } = await onDemand(import("./read-torch.ts"));
    const found = await torchNetwork(file.tensors, { ...options, network }, source);
    if (found) return found;
  }
  const { prefix, tensors } = layerTensors(file.tensors, source);
  const where = prefix === "" ? source : `${source}, under "${prefix}"`;
  return { prefix, tensors, network: options.network ?? inferNetwork(tensors, options.activation, where) };
}

/** Refuses what a caller says of the network where the file says otherwise: it would be passed over. */
function refuseOthers({ activation, path, network, config }: ReadOptions, facts: Facts, source: string): void {
  const remedy = "Leave it out: it is for files that hold weights alone.";
  if (config !== undefined) {
    const expected = "no such option: the file says it all";
    throw new ConfigError({ subject: `config of the network in ${source}`, given: config, expected, remedy });
  }
  if (network !== undefined && !isNetwork(network, facts.network.kind, facts.network.config)) {
    const [given, own] = [network, facts.network].map(({ kind, config }) => `${kind} ${JSON.stringify(config)}`);
    throw new ConfigError({ subject: `network of ${source}`, given, expected: `${own}, as the file says`, remedy });
  }
  const own = (facts.network.config as { readonly activation?: unknown } | undefined)?.activation;
  if (activation !== undefined && activation !== own) {
    const subject = `activation of the network in ${source}`;
    throw new ConfigError({ subject, given: activation, expected: `${own}, as the file says`, remedy });
  }
  const named = ({ name, options }: NamedOptions) => JSON.stringify({ name, options });
  if (path !== undefined && named(path) !== named(facts.path)) {
    const expected = `${named(facts.path)}, as the file says`;
    throw new ConfigError({ subject: `path of ${source}`, given: named(path), expected, remedy });
  }
}

function takeTensors(
  facts: Facts,
  file: TensorFile,
  source: string,
): Pick<ModelRecord, "parameters" | "average" | "best" | "training"> {
  const { network, training, vectors, best } = facts;
  const layout = parameterLayout(network);
  const heldOut = training?.validation?.heldOut;
  expectTensors(
    file,
    new Map<string, ExpectedTensor>([
      ...network.parameters.map((parameter) => [parameter.name, { shape: torchShape(parameter) }] as const),
      ...vectors.map((name) => [PREFIX + name, { shape: [layout.total], dtypes: ["F32", "F64"] as const }] as const),
      ...(heldOut === undefined ? [] : [[HELD_OUT, { shape: [heldOut], dtypes: ["U32"] as const }] as const]),
    ]),
    source,
  );
  const take = (name: string): FlatVector => {
    const tensor = file.tensors.get(PREFIX + name) as StoredTensor;
    expectFinite(PREFIX + name, tensor, source);
    return tensor.data as FlatVector;
  };
  const weights = readWeights(file, network, source);
  const exact = vectors.includes("parameters") ? take("parameters") : undefined;
  if (exact && !exact.every((value, i) => Math.fround(value) === weights[i])) {
    throw damage(
      `${source}, tensor "${PREFIX}parameters"`,
      "other values than the weights",
      "the weights in full precision",
      "The weights were changed; load them from a file without this tensor and without divflow's metadata.",
    );
  }
  return {
    parameters: exact ?? weights,
    average: vectors.includes("ema") ? take("ema") : undefined,
    best: best && { metrics: best, parameters: take("best") },
    training: training && {
      ...training,
      validation: training.validation && {
        ...training.validation,
        heldOut: heldOut === undefined ? undefined : heldOutRows(file, training.data, source),
      },
      moments: new Map(training.optimizer.moments.map((name) => [name, take(name)])),
    },
  };
}

/** Numbers of the rows held out, ascending. */
function heldOutRows({ tensors }: TensorFile, { options }: NamedOptions, source: string): Uint32Array {
  const rows = tensors.get(HELD_OUT)?.data as Uint32Array;
  const wrong = rows.findIndex((row, i) => row >= (options["count"] as number) || row <= (rows[i - 1] ?? -1));
  if (wrong < 0) return rows;
  const expected = `numbers of the ${options["count"]} rows, ascending`;
  throw damage(`${source}, tensor "${HELD_OUT}", element ${wrong}`, rows[wrong], expected, DAMAGED);
}

/** The flat vector of the tensors under PyTorch's names. */
function readWeights({ tensors }: TensorFile, network: Network, source: string): Float32Array {
  const weights = new Map(
    network.parameters.flatMap(({ name }) => {
      const tensor = tensors.get(name);
      if (!tensor) return []; // fromTorch names what is missing
      expectFinite(name, tensor, source);
      return [[name, { shape: tensor.shape, values: Float32Array.from(tensor.data as FlatVector) }] as const];
    }),
  );
  return fromTorch(weights, parameterLayout(network));
}
