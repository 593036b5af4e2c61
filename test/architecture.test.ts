// Every import in src/ against the house rules: data flows down one road, and a folder imports only what lies below it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const source = join(dirname(dirname(fileURLToPath(import.meta.url))), "src");

/** Files that import nothing, which all may import. */
const leaves = ["errors.ts", "version.ts", "closest.ts", "failure.ts", "replace-file.ts", "turns.ts"];

/** What each folder may import beside itself and the leaves: folders of src/, single files of it, and packages. */
const allowed: Record<string, readonly string[]> = {
  ...Object.fromEntries(leaves.map((leaf) => [leaf, []])),
  graph: [],
  ops: ["graph"],
  trace: ["graph", "ops"],
  autodiff: ["graph", "ops"],
  nn: ["graph", "ops", "trace", "backends/on-demand.ts"], // what imports a network's code where a file names it
  flow: ["graph", "ops", "autodiff", "nn", "trace", "transport"],
  data: ["graph", "ops", "trace"],
  transport: ["graph", "ops", "data", "generated/wasm-transport.ts"],
  diagnostics: ["graph", "ops", "data", "transport"],
  train: ["flow", "nn", "data", "autodiff", "ops", "graph", "trace", "backends/on-demand.ts"], // what reads PyTorch's files
  kernels: ["generated/layouts.ts"],
  "kernels/parameters.ts": ["typegpu/data"],
  schedule: ["graph", "ops", "kernels"],
  "backends/backend.ts": ["schedule/program.ts (type)"],
  "backends/in-time.ts": [],
  "backends/on-demand.ts": ["backends/in-time.ts"],
  "backends/webgpu": [
    "kernels",
    "schedule/program.ts (type)",
    "backends/backend.ts",
    "backends/in-time.ts",
    "backends/on-demand.ts",
    "generated/shaders.ts",
    "generated/software-shaders.ts",
    "generated/attention-shaders.ts",
    "generated/window-shaders.ts",
    "generated/network-shaders.ts",
    "generated/whole-network-shaders.ts",
  ],
  "backends/wasm": [
    "kernels",
    "schedule/program.ts (type)",
    "backends/backend.ts",
    "backends/in-time.ts",
    "backends/on-demand.ts",
    "generated/wasm*",
  ],
  "backends/reference": ["ops", "graph", "schedule/program.ts (type)", "backends/backend.ts"],
  engine: [
    "graph",
    "ops",
    "trace",
    "autodiff",
    "nn",
    "flow",
    "data",
    "transport",
    "train",
    "kernels",
    "schedule",
    "backends",
  ],
  onnx: [
    "graph",
    "ops",
    "trace",
    "nn",
    "data",
    "train",
    "engine/parameters.ts",
    "engine/given-model.ts",
    "engine/api.ts (type)",
  ],
  html: [
    "graph",
    "train",
    "engine/given-model.ts",
    "engine/start.ts",
    "engine/told.ts",
    "engine/api.ts (type)",
    "engine/model-api.ts (type)",
    "backends/on-demand.ts",
  ],
  "html/page": [
    "index.ts",
    "flows.ts",
    "data.ts",
    "html/base64.ts",
    "html/facts.ts (type)",
    "engine/model-api.ts (type)",
  ],
  "html.ts": ["html"],
  "index.ts": [
    "onnx",
    "graph",
    "ops",
    "trace",
    "autodiff",
    "nn",
    "flow",
    "data",
    "train",
    "kernels",
    "schedule",
    "backends",
    "engine",
  ],
  "networks.ts": ["graph", "ops", "trace", "autodiff", "nn", "flow", "data"],
  "diagnostics.ts": ["transport", "diagnostics"],
  "flows.ts": [
    ...(["flow", "nn", "train", "engine/suggest-weight.ts", "engine/reflow.ts", "engine/paired-with.ts"] as const),
    "transport/draw-pairs.ts (type)",
  ],
  likelihoods: [
    "graph",
    "ops",
    "autodiff",
    "flow",
    "data",
    "diagnostics",
    "engine/api.ts (type)",
    "engine/asking.ts",
    "engine/more-asked.ts (type)",
    "engine/guide-options.ts",
  ],
  "likelihoods.ts": ["likelihoods"],
  posterior: [
    "graph",
    "ops",
    "flow",
    "nn",
    "data",
    "train",
    "transport/random-sequence.ts",
    "diagnostics",
    "likelihoods",
    "engine/disposed.ts",
    "engine/api.ts (type)",
  ],
  "posterior.ts": ["posterior"],
  "data.ts": ["data"],
  "dynamics.ts": ["data"],
  "letters.ts": ["flow", "data", "engine/sample-letters.ts"],
  "min.ts": ["index.ts"],
  cli: [
    "index.ts",
    "data.ts",
    "data/table-field.ts",
    "diagnostics.ts",
    "diagnostics/student.ts",
    "dynamics.ts",
    "flows.ts",
    "html.ts",
    "letters.ts",
    "likelihoods.ts",
    "networks.ts",
    "posterior.ts",
    "posterior/transforms.ts",
    "node:*",
    "citty",
    "cli-progress",
    "webgpu",
  ],
  generated: [],
};

/** What no file may import, so that users do not download it: the build reads one (and TypeGPU), tests the other. */
const notShipped = ["kernels/parameters.ts", "ops/registry.ts"];

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

describe("imports in src/", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts"));

  test.each(files)("%s imports only what its folder may", (file) => {
    const refused = importsOf(file, readFileSync(join(source, file), "utf8")).flatMap(
      (found) => refusal(file, found) ?? [],
    );
    expect(refused).toEqual([]);
  });
});

// The rule itself, on imports that nobody wrote: a rule that lets everything pass would pass the tests above.
describe("the rule", () => {
  test.each([
    ["ops/arithmetic.ts", `import { Node } from "../graph/node.ts";`],
    ["kernels/parameters.ts", `import * as d from "typegpu/data";`],
    ["kernels/linear.ts", `import { layouts } from "../generated/layouts.ts";`],
    ["backends/wasm/backend.ts", `import type { Program } from "../../schedule/program.ts";`],
    ["cli/main.ts", `import { createRuntime } from "../index.ts";`],
    ["cli/data.ts", `import { readCsv } from "../data.ts";`],
    ["train/checkpoint.ts", `import { VERSION } from "../version.ts";`],
    [
      "flow/losses/fdm.ts",
      `import { jvp } from "../../autodiff/jvp.ts"; import "../../errors.ts"; import "../paths/cosine.ts";`,
    ],
  ])("%s may: %s", (file, text) => {
    expect(importsOf(file, text).flatMap((found) => refusal(file, found) ?? [])).toEqual([]);
  });

  test.each([
    ["graph/node.ts", `import { add } from "../ops/arithmetic.ts";`],
    ["ops/arithmetic.ts", `export { kernels } from "../kernels/registry.ts";`],
    ["schedule/compile.ts", `const { mlp } = await import("../nn/mlp.ts");`],
    ["backends/wasm/backend.ts", `import { show } from "../../schedule/program.ts";`],
    ["backends/wasm/backend.ts", `import { Device } from "../webgpu/device.ts";`],
    ["engine/runtime.ts", `import { createRuntime } from "../index.ts";`],
    ["engine/runtime.ts", `import { readFile } from "node:fs/promises";`],
    ["flow/losses/fdm.ts", `import type { Backend } from "../../backends/backend.ts";`],
    ["cli/data.ts", `import { readCsv } from "../data/csv.ts";`],
    ["data.ts", `import { createRuntime } from "./index.ts";`],
    ["cli/main.ts", `import { compile } from "../schedule/compile.ts";`],
    ["kernels/linear.ts", `import * as d from "typegpu/data";`],
    ["kernels/linear.ts", `import { LinearParameters } from "./parameters.ts";`],
    ["backends/wasm/translate.ts", `import { LinearParameters } from "../../kernels/parameters.ts";`],
    ["ops/linear.ts", `import { ops } from "./registry.ts";`],
    ["engine/verify.ts", `import { ops } from "../ops/registry.ts";`],
    ["data/npy.ts", `import tgpu from "typegpu";`],
    ["version.ts", `import { show } from "./errors.ts";`],
  ])("%s may not: %s", (file, text) => {
    expect(importsOf(file, text).flatMap((found) => refusal(file, found) ?? [])).toHaveLength(1);
  });
});

/** Why `file` (a path in src/) may not have this import, or undefined when it may. */
function refusal(file: string, { specifier, typeOnly }: Import): string | undefined {
  const from = unitOf(file);
  if (from === undefined) return `src/${file} is in no folder that the house rules know`;
  const target = specifier.startsWith(".")
    ? relative(source, join(source, dirname(file), specifier)).replaceAll("\\", "/")
    : specifier;
  if (notShipped.includes(target)) return `src/${target} does not ship: no file may import it`;
  if (unitOf(target) === from || (leaves.includes(target) && !leaves.includes(from))) return undefined;
  const may = allowed[from].some((entry) => {
    const typeMark = entry.endsWith(" (type)");
    const name = entry.replace(" (type)", "");
    const matches = name.endsWith("*")
      ? target.startsWith(name.slice(0, -1))
      : target === name || target.startsWith(`${name}/`);
    return matches && (typeOnly || !typeMark);
  });
  return may ? undefined : `${from} may not import ${typeOnly ? "a type of " : ""}${target}`;
}

/** The key of `allowed` that a path in src/ falls under: the longest. */
function unitOf(path: string): string | undefined {
  return Object.keys(allowed)
    .filter((unit) => path === unit || path.startsWith(`${unit}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Imports and re-exports of a file, static or dynamic. */
function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      found.push({ specifier: textOf(node.moduleSpecifier), typeOnly: onlyTypes(node.importClause) });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      found.push({ specifier: textOf(node.moduleSpecifier), typeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push({ specifier: textOf(node.arguments[0]), typeOnly: false });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ specifier: textOf(node.argument.literal), typeOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

/** The literal's text; for a computed specifier, a name that no folder may import. */
function textOf(node: ts.Node): string {
  return ts.isStringLiteralLike(node) ? node.text : "a computed name";
}

function onlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  if (clause.name || !names || !ts.isNamedImports(names)) return false;
  return names.elements.length > 0 && names.elements.every(({ isTypeOnly }) => isTypeOnly);
}
