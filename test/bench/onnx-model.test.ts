// The ONNX file that the bench writes: read back by another reading of the format, and computed in f64.
import { expect, test } from "vitest";
import { eulerModel } from "../../bench/peers/onnx-model.ts";
import { deviationOf, eulerSolve } from "../../bench/reference.mjs";
import { eulerSteps, makeWorkload } from "../../bench/workload.mjs";
import { type Fields, fieldsOf, messagesOf, numbersOf, textsOf } from "../onnx/read-protobuf.ts";

interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A tensor of the file: dims 1, data_type 2 (1: f32, 7: i64), name 8, raw_data 9. */
function tensorOf(fields: Fields): [string, Tensor] {
  const [bytes] = fields.get(9) as [Uint8Array];
  const raw = bytes.slice().buffer;
  const data = numbersOf(fields, 2)[0] === 7 ? [...new BigInt64Array(raw)].map(Number) : [...new Float32Array(raw)];
  const shape = numbersOf(fields, 1);
  expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
  return [textsOf(fields, 8)[0] as string, { shape, data }];
}

/** What an operator of the file computes, for matrices, and scalars beside them. */
function compute(operator: string, inputs: readonly Tensor[], axis: number | undefined): Tensor {
  const [a, b, c] = inputs as [Tensor, Tensor, Tensor];
  const [rows, depth] = a.shape as [number, number];
  const elementwise = (combine: (x: number, y: number) => number) => ({
    shape: a.shape,
    data: a.data.map((x, i) => combine(x, b.data[b.data.length === 1 ? 0 : i] as number)),
  });
  switch (operator) {
    case "Expand": // of a single value
      return {
        shape: b.data,
        data: Array.from({ length: (b.data[0] ?? 0) * (b.data[1] ?? 0) }, () => a.data[0] as number),
      };
    case "Concat": {
      expect(axis).toBe(1);
      const width = b.shape[1] as number;
      const row = (i: number) => [
        ...a.data.slice(i * depth, (i + 1) * depth),
        ...b.data.slice(i * width, (i + 1) * width),
      ];
      return { shape: [rows, depth + width], data: Array.from({ length: rows }, (_, i) => row(i)).flat() };
    }
    case "Gemm": {
      const columns = b.shape[1] as number;
      const cell = (i: number, j: number) =>
        a.data
          .slice(i * depth, (i + 1) * depth)
          .reduce((sum, x, k) => sum + x * (b.data[k * columns + j] as number), c.data[j] as number);
      const data = Array.from({ length: rows * columns }, (_, i) => cell(Math.floor(i / columns), i % columns));
      return { shape: [rows, columns], data };
    }
    case "Sigmoid":
      return { shape: a.shape, data: a.data.map((x) => 1 / (1 + Math.exp(-x))) };
    case "Mul":
      return elementwise((x, y) => x * y);
    case "Add":
      return elementwise((x, y) => x + y);
  }
  throw new RangeError(`operator ${operator}`);
}

test("one Euler step, as the file's own graph has it, is that of the reference", () => {
  const [width, count] = [70, 3]; // a weight of more than 16,383 bytes has a length of three bytes
  const values = makeWorkload(width, 1, count);
  const model = fieldsOf(eulerModel(values, width, count));
  expect(numbersOf(model, 1)).toEqual([8]); // IR version
  const [opset] = messagesOf(model, 8) as [Fields];
  expect([textsOf(opset, 1), numbersOf(opset, 2)]).toEqual([[""], [17]]);

  const [graph] = messagesOf(model, 7) as [Fields];
  const shapeOf = (value: Fields) => {
    const [tensor] = messagesOf(messagesOf(value, 2)[0] as Fields, 1) as [Fields];
    expect(numbersOf(tensor, 1)).toEqual([1]); // f32
    return messagesOf(messagesOf(tensor, 2)[0] as Fields, 1).flatMap((dimension) => numbersOf(dimension, 1));
  };
  const declared = (field: number) => messagesOf(graph, field).map((value) => [...textsOf(value, 1), shapeOf(value)]);
  expect(declared(11)).toEqual([
    ["x", [count, 2]],
    ["t", [1, 1]],
  ]);
  expect(declared(12)).toEqual([["next", [count, 2]]]);

  const time = 7 / eulerSteps;
  const known = new Map<string, Tensor>(messagesOf(graph, 5).map(tensorOf));
  known.set("x", { shape: [count, 2], data: [...values.noise] });
  known.set("t", { shape: [1, 1], data: [time] });
  for (const node of messagesOf(graph, 1)) {
    const inputs = textsOf(node, 1).map((name) => {
      const tensor = known.get(name);
      if (!tensor) throw new RangeError(`"${name}" is used before it is there`);
      return tensor;
    });
    const axis = messagesOf(node, 5).flatMap((attribute) =>
      textsOf(attribute, 1)[0] === "axis" ? numbersOf(attribute, 3) : [],
    );
    known.set(textsOf(node, 2)[0] as string, compute(textsOf(node, 4)[0] as string, inputs, axis[0]));
  }
  // The reference starts at t = 0: so 7 steps of it lead to where the file is asked at t = 7/100.
  for (let row = 0; row < count; row++) {
    const point = [...values.noise.subarray(2 * row, 2 * row + 2)];
    const there = eulerSolve({ ...values, biases: shifted(values, time) }, point, [0, 0], {
      steps: 1,
      size: 1 / eulerSteps,
    });
    const next = known.get("next")?.data.slice(2 * row, 2 * row + 2) ?? [];
    // The factor 1/100 is f32 in the file.
    expect(deviationOf(next, there.x)).toBeLessThan(1e-8);
  }
});

/** Biases with which t = 0 gives what these give at another time: t enters by the third row of the first weight. */
function shifted({ weights, biases }: ReturnType<typeof makeWorkload>, time: number): Float32Array[] {
  const [first, ...others] = biases as [Float32Array, ...Float32Array[]];
  const row = (weights[0] as Float32Array).subarray(2 * first.length);
  // In f64, which the reference takes as it is.
  const moved = Array.from(first, (bias, i) => bias + time * (row[i] as number));
  return [moved as unknown as Float32Array, ...others];
}
