/** Guidance of a user's own: a function of the finished sample, written with the ops, sent as the graph that it builds. */
import { ConfigError } from "../../errors.ts";
import type { Node, Shape } from "../../graph/node.ts";
import { choiceOption, type NamedOptions, optionsObject, textOption } from "../../graph/options.ts";
import { reshape } from "../../ops/shape.ts";
import { completeEvent, type EventOptions } from "./by-function.ts";
import { checkedEvent, type GuidanceKind, guidanceConfig, guidanceKinds } from "./graph-guidance.ts";

export interface GuidanceDefinition extends EventOptions {
  /** What messages call it. */
  readonly name: string;
  /**
   * What `build` gives: "event" (default), a number C of each sample, which is guided to where C > 0; or "log-weight", the
   * logarithm of what the density is multiplied by, up to a constant.
   */
  readonly kind?: GuidanceKind;
  /**
   * Builds a number of each of B samples, [B] or [B, 1], with a gradient: an event needs C itself, not whether it is above 0.
   *
   * @param inputs - `samples` [B, ...shape], in data units. No loop over rows, no choice by their number.
   */
  build(inputs: { readonly samples: Node }): Node;
}

/** What guides samples by a function of them, for `model.sample({ guide })`. */
export interface Guidance {
  readonly name: string;
  /** Its graph for samples of this shape: plain data. */
  forSamples(shape: Shape): NamedOptions;
}

/**
 * Guidance of your own, for any trained model. When samples are asked for `build` is called for their shape, a few times;
 * what guides, here or in a worker, is the graph that it builds, at each point of the path's estimate of the finished sample.
 *
 * @throws {@link ConfigError} when an option is wrong; from `sample`, when the result is no number of each sample.
 * @throws {@link UnsupportedError} from `sample`, when the graph is another for other numbers of rows.
 * @example
 * const right = defineGuidance({ name: "right half", build: ({ samples }) => slice(samples, 1, 0, 1) });
 * const { values } = await model.sample({ count: 1000, guide: right });
 */
export function defineGuidance(definition: GuidanceDefinition): Guidance {
  const known = ["name", "kind", "build", "link", "slope", "offset", "std"] as const;
  const given = optionsObject("options of defineGuidance", definition, known);
  const { name, kind = "event", build } = given;
  textOption("name of defineGuidance", name ?? "", "what messages call the guidance");
  const subject = `guidance "${name}"`;
  choiceOption(`kind of ${subject}`, kind, guidanceKinds);
  const of =
    kind === "log-weight" && (["link", "slope", "offset", "std"] as const).find((one) => given[one] !== undefined);
  if (of) {
    throw new ConfigError({
      subject: `${of} of ${subject}`,
      given: given[of],
      expected: 'no such option beside kind "log-weight"',
      remedy: 'Leave it out, or choose kind "event".',
    });
  }
  if (typeof build !== "function") {
    throw new ConfigError({
      subject: `build of ${subject}`,
      given: build ?? String(build),
      expected: "a function of samples",
      remedy: "Give what builds a number of each sample.",
    });
  }
  const facts = { name, kind, ...checkedEvent(subject, completeEvent(given)) };
  return {
    name,
    forSamples: (shape) =>
      guidanceConfig(facts, shape, (samples) => {
        const [rows] = samples.shape as readonly [number];
        const value = build({ samples });
        const { shape: own, dtype } = Object(value) as Partial<Node>;
        if (own && dtype === "f32" && own[0] === rows && own.slice(1).every((size) => size === 1)) {
          return reshape(value, [rows, 1]);
        }
        throw new ConfigError({
          subject: `result of ${subject}`,
          given: own ? `${dtype} [${own.join(", ")}]` : String(value),
          expected: `f32 [B] or [B, 1], for ${rows} rows [${rows}]`,
          remedy: "Give one number of each sample: sums over its axes, not over rows.",
        });
      }),
  };
}
