/** What guides samples to a class by a classifier: the logarithm of a naive Bayes classifier's probability, written with ops. */
import { defineGuidance, type Guidance, ops } from "../../../networks.ts";
import type { NaiveBayes } from "./classify.ts";

const { add, logSoftmax, matmul, multiply, reshape, slice, sum, table } = ops;

/**
 * log p(class | letters), of probabilities [B, places, K] in the place of letters: scores of words are sums over all words by the
 * product of their letters' probabilities.
 *
 * @param kind - the class's number.
 */
export function classifierGuide({ words, places: byPlace }: NaiveBayes, kind: number): Guidance {
  const classes = words.length;
  return defineGuidance({
    name: `class ${kind}`,
    kind: "log-weight",
    build({ samples }) {
      const [rows, places, letters] = samples.shape as readonly [number, number, number];
      const at = (first: number) => slice(samples, 1, first, first + places - 2);
      const all = rows * (places - 2);
      const pairs = multiply(reshape(at(0), [all, letters, 1]), reshape(at(1), [all, 1, letters]));
      const ofPair = (own: Float64Array) => table([...own], [letters * letters, letters]);
      const scores = words.map((own, each) => {
        const next = matmul(reshape(pairs, [all, letters * letters]), ofPair(own));
        const ofWords = sum(
          reshape(multiply(next, reshape(at(2), [all, letters])), [rows, all / rows, letters]),
          [1, 2],
        );
        const known = table([...(byPlace[each] as Float64Array)], [1, places, letters]);
        return reshape(add(ofWords, sum(multiply(samples, known), [1, 2])), [rows, 1]);
      });
      const logs = logSoftmax(ops.concat(scores, 1));
      return slice(reshape(logs, [rows, classes]), 1, kind, kind + 1);
    },
  });
}
