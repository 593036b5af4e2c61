import * as d from "typegpu/data";
import { expect, test } from "vitest";
import { layoutOf } from "../../.build/parameters.mjs";

test("a layout names the fields in order", () => {
  expect(Object.entries(layoutOf("Sizes", d.struct({ rows: d.u32, scale: d.f32, columns: d.u32 })))).toEqual([
    ["rows", "u32"],
    ["scale", "f32"],
    ["columns", "u32"],
  ]);
});

test.each([
  ["a vector", d.struct({ rows: d.u32, corner: d.vec2u }), "Sizes.corner: got vec2u at 8"],
  ["a type of 2 bytes", d.struct({ scale: d.f16 }), "Sizes.scale: got f16 at 0"],
  ["a signed integer", d.struct({ rows: d.i32 }), "Sizes.rows: got i32 at 0"],
  ["a gap", d.struct({ rows: d.u32, columns: d.align(16, d.u32) }), "Sizes.columns: got"],
])("%s is refused", (_, struct, message) => {
  expect(() => layoutOf("Sizes", struct)).toThrow(message);
});
