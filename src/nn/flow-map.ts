/** Networks that are flow maps: any network with a channel more than samples have. */
import { ConfigError } from "../errors.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { booleanOption, optionsObject, partOption } from "../graph/options.ts";
import { sum } from "../ops/reduce.ts";
import { broadcast, concat, reshape, slice } from "../ops/shape.ts";
import { graphConfig, graphNetwork } from "./graph.ts";
import type { Averages, Conditions, Network } from "./network.ts";

export interface FlowMapOptions {
  /**
   * What it is made of, for samples of one channel more, its last axis: `mlp({ dimension: D + 1 })`,
   * `unet2d({ sample: [28, 28, 2], ... })`. In that channel it is given the end time e, at all places alike; what it gives
   * there, summed over places, is the average divergence.
   */
  readonly network: Network;
  /** Whether the average divergence is used: few-step log-densities by the head need it. Default true. */
  readonly divergence?: boolean;
  /**
   * Whether it is made for ends before the start too: then the loss draws half of its pairs of times the other way round,
   * and log-densities of given points take a few steps too. Default false.
   */
  readonly reverse?: boolean;
}

/**
 * A network U(x, s, e) of average velocities from time s to time e along the flow, and with a head A(x, s, e) of average
 * divergences. As a velocity field it is U(x, t, t): solvers, log-densities, guidance and losses take it like any other
 * network. {@link meanFlow} trains the averages, and {@link flowMapSteps} samples in a few steps by them. It is kept and
 * sent as a graph, as networks of a user's own are.
 *
 * @throws {@link ConfigError} when the network's samples have a single number or channel, or it is a flow map already.
 * @example
 * const network = flowMap({ network: mlp({ dimension: 2 + 1, hidden: [128, 128, 128] }) });
 */
export function flowMap(options: FlowMapOptions): Network {
  const known = ["network", "divergence", "reverse"] as const;
  const { network, divergence = true, reverse = false } = optionsObject("options of flowMap", options, known);
  partOption("network of flowMap", network, "apply", "mlp({ dimension: 3 })");
  booleanOption("divergence of flowMap", divergence);
  booleanOption("reverse of flowMap", reverse);
  const sample = network.sample ?? [network.dimension];
  const channels = sample[sample.length - 1] as number;
  if (channels < 2 || network.average) {
    throw new ConfigError({
      subject: "network of flowMap",
      given: network.average ? "a flow map" : `samples of shape [${sample.join(", ")}]`,
      expected: "a network of one channel more than samples have",
      remedy: "For points of 2 numbers give mlp({ dimension: 3 }), for images [28, 28, 1] a network of [28, 28, 2].",
    });
  }
  const own = [...sample.slice(0, -1), channels - 1];
  const at: NonNullable<Network["average"]>["at"] = (values, x, s, e, told) =>
    flowMapAverages(network, divergence, values, x, s, e, told);
  const made: Network = {
    kind: `flow map of ${network.kind}`,
    config: {},
    dimension: sizeOf(own),
    sample: own,
    parameters: network.parameters,
    ...(network.conditions && { conditions: network.conditions }),
    average: { divergence, reverse, at },
    apply: (values, x, t, told) => at(values, x, t, t, told).velocity,
  };
  return graphNetwork(graphConfig(made));
}

/** The averages of a flow map that is made of this network. */
export function flowMapAverages(
  network: Network,
  divergence: boolean,
  values: ReadonlyMap<string, Node>,
  x: Node,
  s: Node,
  e: Node,
  told?: Conditions,
): Averages {
  const sample = network.sample ?? [network.dimension];
  const channels = sample[sample.length - 1] as number;
  const places = network.dimension / channels;
  const rows = x.shape[0] as number;
  const ends = broadcast(reshape(e, [rows, 1, 1]), [rows, places, 1]);
  const given = concat([reshape(x, [rows, places, channels - 1]), ends], 2);
  const made = network.apply(values, reshape(given, [rows, network.dimension]), s, told);
  const all = reshape(made, [rows, places, channels]);
  const velocity = reshape(slice(all, 2, 0, channels - 1), x.shape);
  if (!divergence) return { velocity };
  const last = reshape(slice(all, 2, channels - 1, channels), [rows, places]);
  return { velocity, divergence: sum(last, [1]) };
}
