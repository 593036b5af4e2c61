/** Case files: what kind one is, and the case that it holds. */
import { closest } from "../../closest.ts";
import { UnsupportedError } from "../../errors.ts";
import { isRecord } from "../../graph/options.ts";
import { type GoldenCase, saidOf } from "./case.ts";
import { Fields, parseJson } from "./case-fields.ts";
import { assignmentCase, bridgeCase, sinkhornCase } from "./coupling-case.ts";
import { dynamicsCase, eventStatisticCase } from "./dynamics-case.ts";
import { flowMapCase, flowMapGaussianCase } from "./flow-map-case.ts";
import { classifierCase, classifierFreeCase, eventCase } from "./guidance-case.ts";
import { likelihoodCase, mixtureCase, totalVariationCase } from "./mixture-case.ts";
import { parseMLPCase } from "./mlp-case.ts";
import { mlpCase } from "./mlp-graph.ts";
import { networkCase } from "./network-case.ts";
import { opCase } from "./op-case.ts";
import { dirichletClassifierCase, dirichletFactorCase, dirichletPathCase, linearSimplexCase } from "./simplex-case.ts";

export { sentPrograms } from "./sent.ts";

/** By the kind that files name; those of the loss name none. */
const kinds: Readonly<Record<string, (given: unknown, file: string) => GoldenCase>> = {
  op: opCase,
  network: networkCase,
  "gaussian-mixture": mixtureCase,
  "log-likelihood": likelihoodCase,
  "total-variation-bound": totalVariationCase,
  "classifier-guidance": classifierCase,
  "classifier-free-guidance": classifierFreeCase,
  "event-guidance": eventCase,
  assignment: assignmentCase,
  sinkhorn: sinkhornCase,
  "brownian-bridge": bridgeCase,
  "flow-map": flowMapCase,
  "flow-map-gaussian": flowMapGaussianCase,
  "dirichlet-factor": dirichletFactorCase,
  "dirichlet-path": dirichletPathCase,
  "dirichlet-classifier": dirichletClassifierCase,
  "linear-simplex": linearSimplexCase,
  dynamics: dynamicsCase,
  "event-statistic": eventStatisticCase,
};

/**
 * The case that this JSON text holds.
 *
 * @param file - what messages call it.
 * @throws {@link DataError} naming the field that is missing or wrong.
 * @throws {@link UnsupportedError} when this version does not know the kind of case, the op or the network.
 */
export function openCase(text: string, file: string): GoldenCase {
  const given = parseJson(text, file);
  if (!isRecord(given) || !Object.hasOwn(given, "kind")) return mlpCase(parseMLPCase(given, file));
  const kind = new Fields(given, `${file}: `).value("kind");
  const make = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (make) return saidOf(file, () => make(given, file));
  throw new UnsupportedError({
    subject: `${file}: kind`,
    given: kind,
    expected: `a kind of case that this version of divflow knows: ${Object.keys(kinds).join(", ")}, or none for a loss`,
    remedy: closest(String(kind), Object.keys(kinds), "Cases of other kinds are for other versions."),
  });
}
