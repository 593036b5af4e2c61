/** Runs whose files say more than a plain one's: of conditions and shapes, and of graphs. */

/** @typedef {import("./headers.mjs").Divflow} Divflow */
/** @typedef {import("./headers.mjs").Networks} Networks */

const waves = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => Math.sin(i * i) + 0.1 * i);

/**
 * Samples of a shape, standardised by channel, told labels by name and numbers of a shape.
 * @param {Divflow} divflow
 * @param {Networks} networks
 */
export function toldRun({ adam, arrayData, cfm, condOT, mlp }, { classes, numbers }) {
  return {
    network: mlp({
      dimension: 6, // the file says the shape
      hidden: [4],
      conditions: { kind: classes(3, { drop: 0.2 }), frames: numbers([2]) },
    }),
    path: condOT(),
    loss: cfm(),
    optimizer: adam(),
    data: arrayData(waves(72), [12, 3, 2], {
      standardize: "channel",
      conditions: {
        kind: waves(12).map((_, i) => ["ape", "cat", "wolf"][i % 3] ?? ""),
        frames: { values: waves(24), shape: [12, 2] },
      },
    }),
    batchSize: 4,
    validation: 3,
    validateEvery: 1,
  };
}

/**
 * All parts a user's own: what the file says of them is their graphs.
 * @param {Divflow} divflow
 * @param {Networks} networks
 */
export function graphRun({ adam }, { classes, defineData, defineLoss, defineNetwork, definePath, linearLayer, ops }) {
  const table = waves(3);
  const layer = linearLayer("layer", 4, 2);
  const network = defineNetwork({
    name: "own",
    sample: [2],
    conditions: { kind: classes(3) },
    parameters: [layer],
    apply: ({ x, t, kind }, values) => {
      const own = ops.reshape(ops.gather(ops.table(table, [3]), kind), [kind.shape[0] ?? 0, 1]);
      return ops.activation(layer.apply(values, ops.concat([x, t, own], 1)), "tanh");
    },
  });
  return {
    network,
    path: definePath({ name: "own", alpha: (t) => ops.multiply(t, t), sigma: (t) => ops.subtract(1, t) }),
    loss: defineLoss({
      name: "own",
      build: ({ network, x0, x1, t, random }) => {
        const noise = ops.multiply(random("normal", x0.shape), 0.1);
        const velocityLoss = ops.meanAll(ops.square(ops.subtract(network(ops.add(x0, noise), t), x1)));
        return { loss: velocityLoss, velocityLoss };
      },
    }),
    optimizer: adam(),
    data: defineData({
      name: "own",
      shape: [2],
      conditions: { kind: { shape: [], classes: 3 } },
      state: { points: { values: Float32Array.from(waves(24)), shape: [12, 2] } },
      draw: ({ rows, random, state }) => ({
        points: ops.gather(state("points"), random("index", [rows], { bound: 12 })),
        conditions: { kind: random("index", [rows], { bound: 3 }) },
      }),
    }),
    batchSize: 4,
  };
}
