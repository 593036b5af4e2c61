/** Networks of a user's own: written with the ops, kept and sent as the graphs that they build. */
import { ConfigError } from "../errors.ts";
import { isSizes, type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";
import { isRecord, optionsObject, textOption } from "../graph/options.ts";
import { reshape } from "../ops/shape.ts";
import { conditionsOption } from "./conditions.ts";
import { graphConfig, graphNetwork } from "./graph.ts";
import type { ConditionDeclaration, Network, ParameterDeclaration } from "./network.ts";

export interface NetworkDefinition {
  /** What messages call it. */
  readonly name: string;
  /** Shape of a sample, channels last, such as [60, 3]; D numbers in all. */
  readonly sample: Shape;
  /** What it is told beside points and times, by name: `classes(10)`, `numbers([3, 2])`. */
  readonly conditions?: Readonly<Record<string, ConditionDeclaration>>;
  /**
   * All that is trained: layers, or tensors declared one by one, in PyTorch's order. Names are PyTorch's, each once.
   */
  readonly parameters: readonly (ParameterDeclaration | { readonly parameters: readonly ParameterDeclaration[] })[];
  /**
   * Builds the velocities [B, ...sample] (or [B, D]) of a batch of B points, whatever B is: no loop over rows, no choice by
   * their number.
   *
   * @param inputs - `x` [B, ...sample], `t` [B, 1] from 0 to 1, and each condition by its name: f32 [B, ...shape], or of a
   * label u32 [B], where the number of classes stands for one that is not told. Numbers that may be dropped come with
   * "name.told" [B, 1], 1 or 0.
   * @param parameters - each by its name, of the shape declared.
   */
  apply(inputs: NetworkInputs, parameters: ReadonlyMap<string, Node>): Node;
}

/** Points, times and conditions of a batch, by name. */
export type NetworkInputs = { readonly x: Node; readonly t: Node } & Readonly<Record<string, Node>>;

/**
 * A network of your own. `apply` is called here, a few times; what is trained, sent to a worker and kept in checkpoints is
 * the graph that it builds, which loads in programs that do not have the function.
 *
 * @throws {@link ConfigError} when an option is wrong, two parameters have one name, shapes in `apply` do not fit, or its
 * result is no velocity for each number of a sample.
 * @throws {@link UnsupportedError} when the graph is another for other numbers of rows.
 * @example
 * const first = linearLayer("first", 3, 64);
 * const last = linearLayer("last", 64, 2);
 * const network = defineNetwork({
 *   name: "small",
 *   sample: [2],
 *   parameters: [first, last],
 *   apply: ({ x, t }, values) => last.apply(values, swish(first.apply(values, concat([x, t], 1)))),
 * });
 */
export function defineNetwork(definition: NetworkDefinition): Network {
  const known = ["name", "sample", "conditions", "parameters", "apply"] as const;
  const { name, sample, conditions, parameters, apply } = optionsObject("options of defineNetwork", definition, known);
  textOption("name of defineNetwork", name ?? "", "what messages call the network");
  const subject = `network "${name}"`;
  if (!isSizes(sample) || sample.length === 0 || !(sizeOf(sample) > 0)) {
    throw new ConfigError({
      subject: `sample of ${subject}`,
      given: sample ?? String(sample),
      expected: "positive sizes",
      remedy: "Give the shape of a sample, such as [28, 28, 1].",
    });
  }
  if (typeof apply !== "function") {
    throw new ConfigError({
      subject: `apply of ${subject}`,
      given: apply ?? String(apply),
      expected: "a function of inputs and parameters",
      remedy: "Give what builds the velocities.",
    });
  }
  const dimension = sizeOf(sample);
  const network: Network = {
    kind: name,
    config: {},
    dimension,
    sample: [...sample],
    parameters: declared(subject, parameters),
    ...(conditions === undefined ? {} : { conditions: conditionsOption(`conditions of ${subject}`, conditions) }),
    apply(values, x, t, told) {
      const rows = x.shape[0] as number;
      const velocity = apply({ ...Object.fromEntries(told ?? []), x: reshape(x, [rows, ...sample]), t }, values);
      const { shape } = Object(velocity) as Partial<Node>;
      if (shape && velocity.dtype === "f32" && (sameShape(shape, [rows, ...sample]) || sameShape(shape, x.shape))) {
        return reshape(velocity, [rows, dimension]);
      }
      throw new ConfigError({
        subject: `result of ${subject}`,
        given: shape ? `${velocity.dtype} [${shape.join(", ")}]` : String(velocity),
        expected: `f32 [B, ${sample.join(", ")}], for ${rows} rows [${[rows, ...sample].join(", ")}]`,
        remedy: "Give a velocity for each number of a sample.",
      });
    },
  };
  return graphNetwork(graphConfig(network));
}

/** All parameters, each of a name of its own. */
function declared(subject: string, given: unknown): ParameterDeclaration[] {
  const list = Array.isArray(given) ? (given as NetworkDefinition["parameters"]) : undefined;
  const all = list?.flatMap((one) => (isRecord(one) && "parameters" in one ? one.parameters : one)) ?? [];
  const refuse = (given: unknown, expected: string): never => {
    const remedy =
      'Give layers, or tensors such as { name: "scale", shape: [8], initial: { kind: "constant", value: 1 } }.';
    throw new ConfigError({ subject: `parameters of ${subject}`, given: given ?? String(given), expected, remedy });
  };
  if (all.length === 0) refuse(given, "a list of layers and tensors");
  const names = new Set<string>();
  return (all as ParameterDeclaration[]).map((one) => {
    const { name, shape, initial, torchLayout = "as-is" } = Object(one) as ParameterDeclaration;
    const isStart = isRecord(initial) && Object.values(initial).some((value) => Number.isFinite(value));
    if (typeof name !== "string" || !isSizes(shape) || !(sizeOf(shape) > 0) || !isStart) {
      refuse(one, "name, shape and initial of each tensor");
    }
    if (names.has(name)) refuse(name, "each name once");
    names.add(name);
    return { name, shape: [...shape], initial: { ...initial }, torchLayout };
  });
}
