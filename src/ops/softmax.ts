/** Probabilities from logits, along the last axis, and what they miss. */
import { ConfigError } from "../errors.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { add, divide, equal, exp, log, multiply, negate, subtract, toFloat } from "./arithmetic.ts";
import { stopGradient } from "./control.ts";
import { max, meanAll, sum } from "./reduce.ts";
import { reshape } from "./shape.ts";
import { table } from "./sources.ts";

/** exp(x) over its sum along the last axis: positive, sums to 1. Of the shape of `x`, any numbers. */
export function softmax(x: Node): Node {
  const powers = exp(belowLargest(x));
  return divide(powers, sum(powers, [lastAxis(x)]));
}

/** log(softmax(x)) without its underflow: x - log(sum(exp(x))) along the last axis. */
export function logSoftmax(x: Node): Node {
  const shifted = belowLargest(x);
  return subtract(shifted, log(sum(exp(shifted), [lastAxis(x)])));
}

/** log(sum(exp(x))) along the last axis, which has size 1 in the result; no exp overflows. */
export function logSumExp(x: Node): Node {
  const largest = stopGradient(max(x, [lastAxis(x)]));
  return add(log(sum(exp(subtract(x, largest)), [lastAxis(x)])), largest);
}

/**
 * What the logits miss of the labels, -logSoftmax(logits)[label], for each row or their mean.
 *
 * @param logits - [N, K].
 * @param labels - [N], u32, below K: a larger one counts as none, and misses 0.
 * @returns [N]; the mean has shape [].
 * @throws {@link ConfigError} when shapes do not fit.
 */
export function crossEntropy(logits: Node, labels: Node, reduction: "none" | "mean" = "mean"): Node {
  const [count, classes] = logits.shape as readonly [number, number];
  if (logits.shape.length !== 2 || labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new ConfigError({
      subject: "inputs of crossEntropy",
      given: [logits.shape, labels.shape],
      expected: "logits [N, K] and labels [N]",
      remedy: "Reshape them first.",
    });
  }
  const names = table(
    Array.from({ length: classes }, (_, k) => k),
    [1, classes],
  );
  const chosen = equal(reshape(toFloat(labels), [count, 1]), names);
  const missed = reshape(negate(sum(multiply(logSoftmax(logits), chosen), [1])), [count]);
  return reduction === "mean" ? meanAll(missed) : missed;
}

/** `x` less its largest along the last axis, so that exp overflows nowhere. Both softmaxes are the same for any such shift. */
function belowLargest(x: Node): Node {
  return subtract(x, stopGradient(max(x, [lastAxis(x)])));
}

/** @throws {@link ConfigError} where `x` has no axis. */
function lastAxis(x: Node): number {
  if (x.shape.length > 0 && sizeOf(x.shape) > 0) return x.shape.length - 1;
  throw new ConfigError({
    subject: "logits",
    given: x.shape,
    expected: "at least one axis",
    remedy: "Softmax runs along the last axis.",
  });
}
