/** What a model file says of its samples' shape, and of what the network is told: names of labels, units of numbers. */
import { parseStandardization } from "../data/standardize.ts";
import { isSizes, type Shape, sizeOf } from "../graph/node.ts";
import { integerOption, isRecord } from "../graph/options.ts";
import type { ConditionDeclaration, Network } from "../nn/network.ts";
import type { ConditionFacts } from "./checkpoint.ts";
import { DAMAGED, fieldsOf, namesOf, textOf } from "./model-fields.ts";
import { damage } from "./safetensors.ts";

export function parseShape(subject: string, given: unknown, dimension: number): Shape {
  if (isSizes(given) && sizeOf(given) === dimension) return given;
  throw damage(subject, given, `sizes of ${dimension} numbers in all, the network's dimension`, DAMAGED);
}

/** Facts of all conditions that the network declares, and of no others; undefined where it declares none. */
export function parseConditions(
  subject: string,
  given: unknown,
  { conditions }: Pick<Network, "conditions">,
): ConditionFacts | undefined {
  if (!conditions && given === undefined) return undefined;
  const declared = Object.entries(conditions ?? {});
  if (!isRecord(given) || Object.keys(given).length !== declared.length) {
    const expected = declared.length > 0 ? `those of ${declared.map(([name]) => name).join(", ")}` : "none";
    throw damage(subject, given ?? "none", `${expected}, as the network is told`, DAMAGED);
  }
  return Object.fromEntries(
    declared.map(([name, declaration]) => [name, parseFacts(`${subject}, ${name}`, given[name], declaration)]),
  );
}

function parseFacts(subject: string, given: unknown, { shape, classes }: ConditionDeclaration): ConditionFacts[string] {
  const { names, standardization } = fieldsOf(
    subject,
    given,
    [],
    classes === undefined ? ["standardization"] : ["names"],
  );
  if (standardization !== undefined) fieldsOf(`${subject}, standardization`, standardization, ["mean", "std"]);
  const known = names === undefined ? undefined : namesOf(`${subject}, names`, names);
  if (known && (known.length > (classes as number) || new Set(known).size < known.length)) {
    throw damage(`${subject}, names`, known, `at most ${classes} names, each once`, DAMAGED);
  }
  return {
    ...(known ? { names: known } : {}),
    ...(standardization === undefined
      ? {}
      : { standardization: parseStandardization(standardization, sizeOf(shape), "standardization") }),
  };
}

/** What is told of each of a user's own points, as far as a file of a run says it. */
export function parseDataConditions(subject: string, given: unknown): void {
  for (const [name, one] of Object.entries(fieldsOf(subject, given, [], Object.keys(Object(given))))) {
    const fields = fieldsOf(`${subject}, ${name}`, one, ["shape", "fingerprint"], ["classes", "names"]);
    const { shape, classes, names } = fields;
    textOf(`${subject}, ${name}, fingerprint`, fields["fingerprint"]);
    if (classes !== undefined) integerOption(`classes of ${name}`, classes);
    if (names !== undefined) namesOf(`${subject}, ${name}, names`, names, (classes as number | undefined) ?? 0);
    if (!isSizes(shape) || shape.includes(0) || (classes !== undefined && shape.length > 0)) {
      throw damage(`${subject}, ${name}, shape`, shape, classes === undefined ? "sizes" : "[], as of labels", DAMAGED);
    }
  }
}
