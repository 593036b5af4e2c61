import { expect, test } from "vitest";
import { stripped } from "../../.build/shaders.mjs";

test.each([
  ["comments go, lines stay", "let a = 1; // one\nlet b = 2;", "let a=1;\nlet b=2;"],
  ["block comments nest", "a /* b /* c */ d */ e", "a e"],
  ["a block comment over lines parts what it stands between", "let/* a\n b */x = 1;", "let\nx=1;"],
  ["the slash of a line comment is not taken from a division", "let x = a / b; // c / d", "let x=a/b;"],
  ["operators that would join stay apart", "x = a - -b; y = c & &d;", "x=a- -b;y=c& &d;"],
  [
    "attributes and templates",
    "@compute @workgroup_size(8, 8)\nfn f(x: array<f32, 4>) -> f32 {}",
    "@compute@workgroup_size(8,8)\nfn f(x:array<f32,4>)->f32{}",
  ],
  ["empty lines and indentation go", "\n\n  if (a) {\n\n    b();\n  }\n", "if(a){\nb();\n}"],
])("%s", (_, wgsl, expected) => {
  expect(stripped(wgsl)).toBe(expected);
});
