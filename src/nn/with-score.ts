/** Two networks in one: a velocity, and beside it a score. */
import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { partOption } from "../graph/options.ts";
import { graphConfig, graphNetwork } from "./graph.ts";
import type { Network } from "./network.ts";

/** What the names of the second one's parameters begin with. */
const PREFIX = "score.";

/**
 * A velocity network with a second network for the score: all parameters in one vector, those of the score under "score." and
 * their names. Files hold it as a graph. `scoreMatching` trains both; solvers with noise then take the score from it, which is
 * right on a Brownian bridge, where no velocity gives it.
 *
 * What the second one learns is the expected noise E[z | x_t], x_t = mean + std z: the score times -std, which is of size 1
 * at all times, where the score itself is infinite at both ends.
 *
 * @param network - of the velocity.
 * @param score - of the same samples and conditions; often the same kind again: `withScore(mlp(options), mlp(options))`.
 * @throws {@link ConfigError} when samples or conditions differ, or one is a flow map or has a score.
 * @see Tong et al., Simulation-Free Schroedinger Bridges via Score and Flow Matching (AISTATS 2024), equation 10.
 */
export function withScore(network: Network, score: Network): Network {
  partOption("network of withScore", network, "apply", "mlp({ dimension })");
  partOption("score of withScore", score, "apply", "mlp({ dimension })");
  const facts = ({ dimension, sample = [dimension], conditions = {} }: Network) =>
    JSON.stringify({ sample, conditions });
  const isPlain = [network, score].every(({ average, score, own }) => !average && !score && !own);
  if (!isPlain || facts(network) !== facts(score)) {
    throw new ConfigError({
      subject: "score of withScore",
      given: isPlain ? facts(score) : "a flow map, or a network that has a score",
      expected: isPlain ? `${facts(network)}, as the velocity` : "two plain networks",
      remedy: "Give two networks of the same samples and conditions.",
    });
  }
  const own = (values: ReadonlyMap<string, Node>) =>
    new Map(score.parameters.map(({ name }) => [name, values.get(PREFIX + name) as Node]));
  return graphNetwork(
    graphConfig({
      ...network,
      kind: `${network.kind} with a score`,
      parameters: [...network.parameters, ...score.parameters.map((each) => ({ ...each, name: PREFIX + each.name }))],
      apply: (values, x, t, told) => network.apply(values, x, t, told),
      score: (values, x, t, told) => score.apply(own(values), x, t, told),
    }),
  );
}
