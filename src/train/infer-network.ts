/** The network behind weights that come without a description, such as a file from PyTorch. */
import { CheckpointError, ConfigError } from "../errors.ts";
import { choiceOption } from "../graph/options.ts";
import { mlp } from "../nn/mlp.ts";
import type { Network } from "../nn/network.ts";
import { type ActivationKind, activationKinds } from "../ops/activation.ts";
import { LAYER } from "./layer-names.ts";
import type { StoredTensor } from "./safetensors.ts";

/**
 * The tensors under the names of a plain nn.Sequential, "0.weight", "0.bias", "2.weight", ...: without what an enclosing
 * module puts before ("net.0.weight"), and also where the layers are counted without their activations (nn.ModuleList).
 *
 * @throws {@link CheckpointError} when a name is of another form, or there is more than one list of layers.
 */
export function layerTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  source: string,
): { readonly prefix: string; readonly tensors: Map<string, StoredTensor> } {
  const parts = [...tensors.keys()].map((name) => LAYER.exec(name));
  const foreign = [...tensors.keys()].filter((_name, i) => !parts[i]);
  const prefixes = [...new Set(parts.flatMap((part) => (part ? [part.input.slice(0, part.index)] : [])))];
  if (foreign.length > 0 || prefixes.length !== 1) {
    throw new CheckpointError({
      subject: `names of the tensors in ${source}`,
      given: foreign.length > 0 ? foreign.slice(0, 6).join(", ") : prefixes.map((each) => `${each}*`).join(" and "),
      expected: 'one list of linear layers: "0.weight", "0.bias", "2.weight", ..., all with the same prefix or none',
      remedy: NAMES,
    });
  }
  const numbers = [...new Set(parts.map((part) => Number(part?.[1])))].sort((a, b) => a - b);
  const prefix = prefixes[0] as string;
  const renamed = new Map<string, StoredTensor>();
  for (const [layer, number] of numbers.entries()) {
    for (const kind of ["weight", "bias"]) {
      const name = `${prefix}${number}.${kind}`;
      const tensor = tensors.get(name);
      if (!tensor) {
        const expected = "a weight and a bias for each layer";
        throw new CheckpointError({
          subject: `${source}, tensor "${name}"`,
          given: "nothing",
          expected,
          remedy: NAMES,
        });
      }
      renamed.set(`${2 * layer}.${kind}`, tensor);
    }
  }
  return { prefix, tensors: renamed };
}

/**
 * The multilayer perceptron whose nn.Sequential(nn.Linear, activation, nn.Linear, ...) has these weights: "0.weight",
 * "2.weight", ... of [out, in]. Its input is (x, t), so dimension D = inputs - 1 = outputs.
 *
 * @param activation - cannot be read off weights; must be given.
 * @throws {@link CheckpointError} when names or shapes are of no such network.
 * @throws {@link ConfigError} when the activation is missing.
 */
export function inferNetwork(
  weights: ReadonlyMap<string, StoredTensor>,
  activation: string | undefined,
  source: string,
): Network {
  const widths: number[] = [];
  for (let layer = 0; ; layer++) {
    const tensor = weights.get(`${2 * layer}.weight`);
    if (!tensor) break;
    const [outputs = 0, inputs = 0] = tensor.shape;
    if (tensor.shape.length !== 2 || (layer > 0 && inputs !== widths[layer])) {
      throw new CheckpointError({
        subject: `${source}, tensor "${2 * layer}.weight"`,
        given: tensor.shape,
        expected: layer === 0 ? "a matrix [out, in]" : `[out, ${widths[layer]}], after the layer before`,
        remedy: NAMES,
      });
    }
    if (layer === 0) widths.push(inputs);
    widths.push(outputs);
  }
  const [inputs = 0, ...hidden] = widths;
  const dimension = hidden.pop() ?? 0;
  if (hidden.length === 0 || inputs !== dimension + 1) {
    throw new CheckpointError({
      subject: source,
      given:
        widths.length > 0 ? `linear layers of widths ${widths.join("-")}` : `tensors ${[...weights.keys()].join(", ")}`,
      expected: "at least two linear layers from D + 1 (a point and its time) to D",
      remedy: NAMES,
    });
  }
  if (!activation) {
    throw new ConfigError({
      subject: `activation of the network in ${source}`,
      given: "nothing",
      expected: `one of ${activationKinds.join(", ")}`,
      remedy:
        "The file holds weights alone: say which activation they were trained with (on the command line, --activation).",
    });
  }
  choiceOption("activation of the network", activation, activationKinds);
  try {
    return mlp({ dimension, hidden, activation: activation as ActivationKind });
  } catch (cause) {
    const { facts } = cause as ConfigError; // a width of 0, or beyond any network's
    throw new CheckpointError({ ...facts, subject: `${source}, ${facts.subject}`, remedy: NAMES }, { cause });
  }
}

const NAMES = "Save the state_dict of an nn.Sequential(nn.Linear(D + 1, ...), activation, ..., nn.Linear(..., D)).";
