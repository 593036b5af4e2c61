/** Simulators that visitors write: the page's own reading of them against JavaScript's, and what is said of faults. */
import { describe, expect, test } from "vitest";
import { readySimulators } from "../../demo/tabs/posterior/ready.ts";
import { MOST_TURNS, simulatorOf } from "../../demo/tabs/posterior/script/simulator.ts";
import { Fault } from "../../demo/tabs/posterior/script/tokens.ts";

/** Draws that tell normal() from uniform(), and the second from the first. */
function counting() {
  let drawn = 0;
  return { normal: () => -0.7 + 0.31 * drawn++, uniform: () => 0.1 + 0.07 * drawn++ };
}

type Plain = (theta: unknown, random: { normal(): number; uniform(): number }) => number[];
/** What JavaScript itself makes of the text. */
const plain = (text: string) => new Function(`return (${text.replace(/;\s*$/, "")});`)() as Plain;

describe("a simulator's text", () => {
  test.each([
    "(t, random) => [1 + 2 * 3 - 4 / 5 % 3, 2 ** 3 ** 2 / 100]",
    "(t) => [-t[0] * -t[1], +t[0] - -2]",
    "(t) => [(1 + 2) * 3, 10 - 4 - 3]",
    "(t) => [t[0] < 1 ? t[1] > 5 ? 1 : 2 : 3, t[0] >= t[1] ? 4 : 5]",
    "(t) => [t[0] < 1 && t[1] < 5 ? 1 : 2, t[0] > 1 || t[1] < 5 ? 3 : 4]",
    "(t) => [!(t[0] === 0.5) ? 1 : 2, t[0] != 0.5 || t[1] !== 3 ? 1 : t[0] == 0.5 ? 7 : 8]",
    "(t) => [Math.max(1, t[0], t[1], 0.5), Math.hypot(t[0], t[1]) + Math.atan2(t[1], t[0]) + Math.pow(2, t[1])]",
    "(t) => [Math.PI * Math.E, Math.SQRT2 + Math.LN2 + Math.exp(.5) + 1e-3 + 2.5E+2 + 3.]",
    "(t, random) => [random.normal() + 10 * random.uniform(), random.normal()]",
    "([p, q], random) => [p - q, [p, [q, 7]][1][1]]",
    "({ p, q, }, random) => { const x = p, y = x * 2; return [x, q + y]; }",
    "(t) => { let s = 0; for (let i = 0; i < 5; i++) { if (i % 2 === 0) s += i; else { s -= 2 * i; } } return [s, 1]; }",
    "(t) => { let s = 1; while (s < 100) { s *= 3; if (s > 50) return [s, -1]; } return [s, 1]; }",
    "(t) => { let s = 8; for (; s > 1; s /= 2) s--; const x = 3; { const x = 4; s += x; } s %= 4; return [s, x]; }",
    "(t) => { // to the end of the line = nothing\n let a = t[0]; /* nor \n this = */ a = a * 2\n const b = a\n return [a, b] }",
    "(t) => { for (let i = 3; i > 0; i--) { let a = i; a = a + 1; } const i = 5; return [i, t[1]] };",
  ])("is computed as JavaScript does: %s", (text) => {
    const isNamed = /^\(\{/.test(text);
    const values = [0.5, 3];
    const given = isNamed ? { p: 0.5, q: 3 } : values;
    expect(simulatorOf(text).run(values, counting())).toEqual(plain(text)(given, counting()));
  });

  test.each(readySimulators)("that the page has ready is the same: $name", ({ code, priors, data }) => {
    const { parameters, run } = simulatorOf(code);
    expect(data).toHaveLength(2);
    for (const part of [0.05, 0.4, 0.95]) {
      const theta = priors.map(([low, high], k) => low + (k === 0 ? part : 1 - part) * (high - low));
      const named = Object.fromEntries(parameters.map((name, k) => [name, theta[k]]));
      const text = code.replace(/^(\/\/[^\n]*\n)*/, "");
      expect(run(theta, counting())).toEqual(plain(text)(named, counting()));
    }
  });

  test("names its parameters", () => {
    expect(simulatorOf("({ angle, speed }, random) => [angle, speed]").parameters).toEqual(["angle", "speed"]);
    expect(simulatorOf("(theta, random) => theta").parameters).toEqual(["theta[0]", "theta[1]"]);
  });

  test.each([
    ["", 1, 1, /"\(" is missing at the beginning/],
    ["(t, random) => [t[0] +, 1]", 1, 23, /"," stands where a value is wanted/],
    ["(t) =>\n  [t[0],\n   speed]", 3, 4, /nothing is called "speed" here. Known are t, random, Math/],
    ["(t) => [Math.sine(1), 2]", 1, 14, /Math.sine is not known here. Known are abs,/],
    ["(t) => [random.gauss(), 2]", 1, 16, /random has normal\(\) and uniform\(\), and no gauss/],
    ["(t) => [t.constructor, 2]", 1, 10, /only Math and random have parts/],
    ["(t) => [Math.constructor(1), 2]", 1, 14, /Math.constructor is not known/],
    ["(t) => [eval(1), 2]", 1, 9, /nothing is called "eval" here/],
    ["(t) => ['a', 2]", 1, 9, /text in quotes is not understood/],
    ["(t) => [1 # 2, 2]", 1, 11, /"#" is not understood/],
    ["(t) => [1, 2] extra", 1, 15, /the function has ended, but "extra" follows/],
    ["(t) => { return [1, 2];", 1, 24, /a "}" is missing at the end/],
    ["(t) => { const a = 1; a = 2; return [a, 2]; }", 1, 23, /"a" is a const, which never changes/],
    ["(t) => { const a = 1; const a = 2; return [a, 2]; }", 1, 29, /there is a "a" already/],
    ["(t) => { b = 2; return [b, 2]; }", 1, 10, /nothing is called "b" here: declare it by let/],
    ["(t) => { break; return [1, 2]; }", 1, 10, /"break" is not understood here/],
    ["(t) => { let a; return [1, 2]; }", 1, 15, /"=" is missing after "a", which needs a value/],
    ["(t) => { const a = 1 return [a, 2]; }", 1, 22, /";" is missing after a statement/],
    ["({ a, b, c }) => [a, b]", 1, 2, /this page draws two parameters, and here are 3/],
    ["(t, noise) => [1, 2]", 1, 5, /is to be called "random"/],
    ["(t) => [-2 ** 2, 1]", 1, 12, /write \(-a\) \*\* b or -\(a \*\* b\)/],
    ["(t) => [(1 + 2, 1]", 1, 15, /"\)" is missing after an expression in brackets/],
    ["(return) => [1, 2]", 1, 2, /"return" cannot be a name/],
  ])("that is wrong is refused where it is: %s", (text, line, column, words) => {
    const fault = faultOf(() => simulatorOf(text));
    expect(fault.message).toMatch(words);
    expect(fault.message).toMatch(new RegExp(`^Line ${line}, column ${column}: `));
    expect([fault.line, fault.column]).toEqual([line, column]);
  });

  test.each([
    ["(t) => 3", 1, 5, /should return a list of two numbers, and returned a number/],
    ["(t) => [1, 2, 3]", 1, 5, /returned a list of 3/],
    ["(t) => [1, t]", 1, 5, /returned a list of other things/],
    ["(t) => { if (t[0] > 9) return [1, 2]; }", 1, 5, /returned nothing/],
    ["(t) => [t + 1, 2]", 1, 11, /"\+" wants numbers on both sides, and one is a list of 2/],
    ["(t) => [1 * (2 > 1), 2]", 1, 11, /and one is true/],
    ["(t) => [t[2], 1]", 1, 10, /no place 2 in a list of 2: places are counted from 0/],
    ["(t) => [t[0][0], 1]", 1, 13, /only a list has places, and this is a number/],
    ["(t) => [Math.sin(t), 1]", 1, 14, /a number is wanted, and this is a list of 2/],
    [
      "(t) => { while (1 < 2) { const a = 1; } return [1, 2]; }",
      1,
      10,
      /turned more than 100,000 times: does this one end/,
    ],
    ["(t) => {\n for (;;) ;\n return [1, 2]; }", 2, 2, /does this one end/],
  ])("that cannot go on says where: %s", (text, line, column, words) => {
    const simulator = simulatorOf(text);
    const fault = faultOf(() => simulator.run([0.5, 3], counting()));
    expect(fault.message).toMatch(words);
    expect([fault.line, fault.column]).toEqual([line, column]);
  });

  test("may turn its loops many times, in each run anew", () => {
    const { run } = simulatorOf(`(t) => { let s = 0; for (let i = 0; i < ${MOST_TURNS}; i++) s += 1; return [s, 1]; }`);
    expect(run([0, 0], counting())).toEqual([MOST_TURNS, 1]);
    expect(run([0, 0], counting())).toEqual([MOST_TURNS, 1]);
  });
});

function faultOf(act: () => unknown): Fault {
  try {
    act();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("nothing was wrong");
}
