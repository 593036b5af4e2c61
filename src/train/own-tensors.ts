/** Which tensors of a file without divflow's metadata are a network's: by PyTorch's names, whatever module is around them. */
import { CheckpointError } from "../errors.ts";
import type { ConstantTensor, Network, ParameterDeclaration } from "../nn/network.ts";
import { torchShape } from "../nn/torch.ts";
import type { StoredTensor } from "./safetensors.ts";

/** How far a constant of a file may be from ours, in units of the largest: it was computed in f32 there. */
const CLOSE = 1e-5;

export interface OwnTensors {
  /** What stands before each name, such as "module.". */
  readonly prefix: string;
  /** By the network's own names, of PyTorch's shapes. */
  readonly tensors: Map<string, StoredTensor>;
  /** Constants that the file has otherwise, by the option that they are. */
  readonly options: Readonly<Record<string, readonly number[]>>;
}

/**
 * The network's tensors: what an enclosing module puts before all names is taken off, constants are held against the
 * network's own, and axes of size 1 at the end are no matter, as of convolutions of width 1 that are linear layers.
 *
 * @throws {@link CheckpointError} when tensors are missing, others are there, or a constant is another.
 */
export function ownTensors(tensors: ReadonlyMap<string, StoredTensor>, network: Network, source: string): OwnTensors {
  const { parameters, constants = [] } = network;
  const prefix = prefixOf([...tensors.keys()], parameters, source);
  const missing = parameters.filter(({ name }) => !tensors.has(prefix + name)).map(({ name }) => prefix + name);
  const known = new Set([...parameters, ...constants].map(({ name }) => prefix + name));
  const extra = [...tensors.keys()].filter((name) => !known.has(name));
  if (missing.length > 0 || extra.length > 0) {
    const parts = [missing.length > 0 && `without ${list(missing)}`, extra.length > 0 && `with unknown ${list(extra)}`];
    throw new CheckpointError({
      subject: `tensors of ${source}`,
      given: parts.filter(Boolean).join(", "),
      expected: `the ${parameters.length} tensors of ${network.kind}, all with the same prefix or none`,
      remedy: "Build the network that the file is of, and save its state_dict alone.",
    });
  }
  const options = constants.flatMap((constant) => {
    const stored = tensors.get(prefix + constant.name);
    return stored ? otherOption(constant, stored, source) : [];
  });
  return {
    prefix,
    tensors: new Map(
      parameters.map((each) => [each.name, shaped(each, tensors.get(prefix + each.name) as StoredTensor)]),
    ),
    options: Object.fromEntries(options),
  };
}

/** What stands before the names of most of the parameters; nothing where none is there. */
function prefixOf(names: readonly string[], parameters: readonly ParameterDeclaration[], source: string): string {
  const own = new Set(parameters.map(({ name }) => name));
  const found = new Map<string, number>();
  for (const name of names) {
    for (const begin of beginnings(name)) {
      if (own.has(name.slice(begin))) found.set(name.slice(0, begin), (found.get(name.slice(0, begin)) ?? 0) + 1);
    }
  }
  const [first, second] = [...found].sort(([, a], [, b]) => b - a);
  if (first && second?.[1] === first[1] && first[1] === own.size) {
    throw new CheckpointError({
      subject: `names of the tensors in ${source}`,
      given: `two networks: ${first[0]}* and ${second[0]}*`,
      expected: "one",
      remedy: "Save the state_dict of the one that is wanted, such as the averaged one.",
    });
  }
  return first?.[0] ?? "";
}

/** Where a name may begin: at its start, and behind each dot. */
function beginnings(name: string): number[] {
  return [0, ...[...name.matchAll(/\./g)].map(({ index }) => index + 1)];
}

/** The tensor with PyTorch's shape of this parameter, where they differ by axes of size 1 behind, or one before. */
function shaped(parameter: ParameterDeclaration, tensor: StoredTensor): StoredTensor {
  const expected = torchShape(parameter);
  const bare = (shape: readonly number[]) => shape.join().replace(/(,1)+$/, "");
  const isSame = bare(expected) === bare(tensor.shape) || `1,${expected.join()}` === tensor.shape.join();
  return isSame ? { ...tensor, shape: expected } : tensor; // expectTensors says what is wrong
}

/** The option that a constant of the file is, where it is not the network's own. */
function otherOption(
  { name, values, option }: ConstantTensor,
  { data, shape }: StoredTensor,
  source: string,
): [string, readonly number[]][] {
  const given = Array.from(data as Float32Array, Number);
  const largest = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
  const isSame =
    given.length === values.length && given.every((value, i) => Math.abs(value - values[i]) <= CLOSE * largest);
  if (isSame) return [];
  if (option !== undefined && given.length === values.length) return [[option, given]];
  const at = given.findIndex((value, i) => !(Math.abs(value - values[i]) <= CLOSE * largest));
  throw new CheckpointError({
    subject: `${source}, tensor "${name}"`,
    given: given.length === values.length ? `${given[at]} at ${at}` : `shape [${shape.join(", ")}]`,
    expected: given.length === values.length ? `${values[at]}` : `${values.length} numbers, which the options say`,
    remedy: "It is fixed: build the network with the options that it was made with.",
  });
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
