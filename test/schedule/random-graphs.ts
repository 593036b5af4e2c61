/** Small graphs made at random: every op, views of views, joints of what is also used elsewhere, states in a ring. */
import { vjp } from "../../src/autodiff/vjp.ts";
import type { Graph, Update } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { activation, activationKinds } from "../../src/ops/activation.ts";
import {
  add,
  cos,
  finite,
  increment,
  less,
  maximum,
  multiply,
  negate,
  select,
  subtract,
  toFloat,
} from "../../src/ops/arithmetic.ts";
import { conv1d } from "../../src/ops/convolve.ts";
import { linear } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { random } from "../../src/ops/random.ts";
import { max, mean, sum } from "../../src/ops/reduce.ts";
import { gather, replaceRow, scatterAdd } from "../../src/ops/rows.ts";
import { broadcast, concat, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { constant, state, table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";

/** A graph of about `size` nodes; equal seeds give equal graphs. */
export function randomGraph(seed: number, size: number): Graph {
  const numbers = new HostRandom(seed).index(100000, 2 ** 31, 0);
  let drawn = 0;
  const below = (bound: number) => (numbers[drawn++ % numbers.length] as number) % bound;
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;

  const counter = state({ name: "counter", shape: [1], dtype: "u32" });
  const seeds = state({ name: "seeds", shape: [2], dtype: "u32" });
  const indices = state({ name: "indices", shape: [5], dtype: "u32" }); // drawn below 5
  const shapes: Shape[] = [[6, 4], [6, 4], [4, 6], [24], [1, 4], [6, 1], [2, 3, 4], [5, 4], []];
  const states = shapes.map((shape, i) => state({ name: `s${i}`, shape, dtype: "f32" }));
  const pool: Node[] = [...states, constant(0.5, [6, 4]), table([1, 2, 3, 4], [4]), toFloat(counter)];

  const ofShape = (shape: Shape): Node => {
    const fitting = pool.filter((node) => sizeOf(node.shape) === sizeOf(shape));
    return fitting.length > 0 && below(8) > 0 ? reshape(pick(fitting), shape) : constant(0.25, shape);
  };
  const tame = (node: Node) => activation([node], { kind: "tanh", order: 0 });
  const makers: (() => Node)[] = [
    () => {
      const a = pick(pool);
      return pick([add, subtract, multiply, maximum])(a, ofShape(a.shape));
    },
    () => activation([pick(pool)], { kind: pick(activationKinds), order: below(3) }),
    () => pick([negate, cos, finite])(pick(pool)),
    () => {
      const a = pick(states);
      return select(less(a, 0.3), ofShape(a.shape), ofShape(a.shape));
    },
    () => {
      const a = pick(pool);
      return reshape(a, pick([[sizeOf(a.shape)], [1, sizeOf(a.shape)], [sizeOf(a.shape), 1]]));
    },
    () => broadcast(ofShape([1, 4]), [6, 4]),
    () => broadcast(ofShape([6, 1]), [6, 4]),
    () => broadcast(ofShape([2, 1, 2]), [2, 6, 2]),
    () => broadcast(ofShape([4]), [2, 3, 4]),
    () => transpose(ofShape([6, 4]), [1, 0]),
    () =>
      transpose(
        ofShape([2, 3, 4]),
        pick([
          [2, 0, 1],
          [1, 0, 2],
          [0, 2, 1],
        ]),
      ),
    () => concat([ofShape([2, 4]), ofShape([4, 4])], 0),
    () => concat([ofShape([24]), ofShape([24])], 0),
    () => concat([ofShape([6, 4]), ofShape([6, 4])], 1),
    () => concat([ofShape([6, 1]), ofShape([6, 2]), ofShape([6, 1])], 1),
    () => {
      const a = pick(pool.filter(({ shape }) => shape.some((length) => length > 1)));
      const axis = pick([...a.shape.keys()].filter((k) => (a.shape[k] as number) > 1));
      const start = below((a.shape[axis] as number) - 1);
      return slice(a, axis, start, start + 1 + below((a.shape[axis] as number) - start));
    },
    () => tame(matmul(ofShape([6, 4]), ofShape([6, 4]), { transposeLeft: true })),
    () => tame(matmul(ofShape([6, 4]), ofShape([4, 6]))),
    () => tame(linear(ofShape([6, 4]), ofShape([4, 4]), ofShape([4]))),
    () => {
      const weight = ofShape([3, 4, 2]); // shared, as above
      const window = pick([{ padding: 1 }, { padding: 2, dilation: 2 }, { padding: 1, stride: 2 }]);
      const a = conv1d(ofShape([2, 3, 4]), weight, ofShape([2]), window);
      const slope = activation([a], { kind: pick(activationKinds), order: 1 });
      const tangent = multiply(slope, conv1d(ofShape([2, 3, 4]), weight, undefined, window));
      pool.push(tame(tangent));
      return reshape(pick([a, tangent]), [sizeOf(a.shape)]);
    },
    () => {
      const variables = [ofShape([2, 3, 4]), ofShape([3, 4, 2]), ofShape([2])] as const;
      const y = tame(conv1d(...variables, { padding: 1 }));
      return concat(
        vjp([y], [ofShape(y.shape)], [...variables]).map((gradient) => reshape(gradient, [sizeOf(gradient.shape)])),
        0,
      );
    },
    () => {
      const right = ofShape([4, 6]); // shared: a primal and its tangents
      const a = matmul(ofShape([6, 4]), right);
      const slope = activation([a], { kind: pick(activationKinds), order: 1 });
      const tangents = Array.from({ length: 1 + below(3) }, () => multiply(slope, matmul(ofShape([6, 4]), right)));
      pool.push(...tangents.map(tame));
      return tame(add(tangents[0] as Node, pick([a, ofShape([6, 6])])));
    },
    () => {
      const cotangent = tame(matmul(ofShape([6, 4]), ofShape([4, 6])));
      const rows = 1 + below(6);
      const weight = matmul(ofShape([6, 4]), cotangent, { transposeLeft: true });
      return concat([reshape(weight, [24]), reshape(sum(slice(cotangent, 0, 0, rows), [0]), [6])], 0);
    },
    () => pick([sum, mean, max])(ofShape([2, 3, 4]), pick([[0], [1], [2], [0, 2], [0, 1, 2]])),
    () => gather(ofShape([5, 4]), indices),
    () => scatterAdd(ofShape([5, 4]), indices, 6),
    () => replaceRow(ofShape([6, 4]), counter, ofShape([4])),
    () => random("normal", [6, 4], { seed: seeds, counter, stream: below(3) }),
    () => random("uniform", pick([[24], [1, 4], [6, 1]]), { seed: seeds, counter, stream: below(3) }),
  ];
  while (pool.length < size) {
    const node = pick(makers)();
    pool.push(sizeOf(node.shape) > 64 ? tame(slice(reshape(node, [sizeOf(node.shape)]), 0, 0, 24)) : tame(node));
    if (below(2) > 0) pool.push(node);
  }

  const recent = pool.slice(-Math.ceil(size / 2));
  const updates: Update[] = states.flatMap(({ attributes }): Update[] => {
    if (below(4) === 0) return []; // stays
    const fitting = [...recent, ...states].filter(({ shape }) => sizeOf(shape) === sizeOf(attributes.shape));
    return [
      {
        state: attributes,
        value: reshape(fitting.length > 0 ? pick(fitting) : ofShape(attributes.shape), attributes.shape),
      },
    ];
  });
  recent.slice(-3).forEach((value, i) => {
    updates.push({ state: { name: `out${i}`, shape: value.shape, dtype: "f32" }, value });
  });
  updates.push({ state: counter.attributes, value: increment(counter) });
  return { name: `random ${seed}`, updates };
}
