/** The package's declarations as users compile against them: strict, libraries checked, with nothing installed beside. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeDeclarations } from "../../.build/declarations.mjs";
import { root } from "../../.build/files.mjs";

/** The oldest TypeScript that is held to, which the checker of the package's exports brings along, and our own. */
const ofChecker = createRequire(createRequire(import.meta.url).resolve("@arethetypeswrong/core"));
const compilers = {
  "5.6": ofChecker.resolve("typescript"),
  "6.0": createRequire(import.meta.url).resolve("typescript"),
};

// Outside of the checkout, where no type of ours is found by looking further up.
let folder: string;
let divflow: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "divflow-types-"));
  divflow = join(folder, "node_modules", "divflow");
  await mkdir(divflow, { recursive: true });
  await cp(join(root, "package.json"), join(divflow, "package.json"));
  await writeDeclarations(relative(root, join(divflow, "dist", "types")));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await cp(join(root, "test", "types", "consumer.txt"), join(folder, "consumer.ts"));
  await writeFile(
    join(folder, "gpu.ts"),
    `import { createRuntime } from "divflow";
     const adapter = await navigator.gpu.requestAdapter();
     const device: GPUDevice = await adapter!.requestDevice();
     await createRuntime({ gpu: navigator.gpu });
     await createRuntime({ device });`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says of files: nothing, when all is well. */
async function compiled(version: keyof typeof compilers, settings: Record<string, unknown>, files: readonly string[]) {
  const compilerOptions = {
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
    ...{ skipLibCheck: false, noEmit: true, target: "es2022", lib: ["es2022", "dom"], types: [] },
    ...settings,
  };
  const config = join(folder, `tsconfig-${version}-${settings.module}-${files[0]}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  const command = join(dirname(compilers[version]), "..", "bin", "tsc");
  try {
    await promisify(execFile)(process.execPath, [command, "-p", config, "--pretty", "false"], { timeout: 120_000 });
    return "";
  } catch (error) {
    return (error as { stdout?: string }).stdout || String(error);
  }
}

describe.each(["5.6", "6.0"] as const)("TypeScript %s", (version) => {
  test("is that version", async () => {
    const manifest = join(dirname(compilers[version]), "..", "package.json");
    expect(JSON.parse(await readFile(manifest, "utf8")).version).toMatch(new RegExp(`^${version}\\.`));
  });

  test.each([
    { module: "esnext", moduleResolution: "bundler" },
    { module: "nodenext", moduleResolution: "nodenext" },
  ])("a strict project with $moduleResolution", async (settings) => {
    // Of this version's own lib: types of WebGPU.
    const files = version === "6.0" ? ["consumer.ts", "gpu.ts"] : ["consumer.ts"];
    expect(await compiled(version, settings, files)).toBe("");
  });
});

test("TypeScript 5.6 with @webgpu/types", async () => {
  await mkdir(join(folder, "node_modules", "@webgpu"), { recursive: true });
  await symlink(join(root, "node_modules", "@webgpu", "types"), join(folder, "node_modules", "@webgpu", "types"));
  const settings = { module: "esnext", moduleResolution: "bundler", types: ["@webgpu/types"] };
  expect(await compiled("5.6", settings, ["gpu.ts"])).toBe("");
});

test("the declarations lead to no file that does not ship", async () => {
  const types = join(divflow, "dist", "types");
  const { exports, types: main } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const files = await readdir(types, { recursive: true });
  const named: string[] = [main, ...Object.values(exports as object).map((entry) => entry.types ?? main)];
  expect(named.filter((path) => !files.includes(path.replace("./dist/types/", "")))).toEqual([]);
  for (const file of files) {
    const text = (await readFile(join(types, file), "utf8")).replace(/\/\*\*.*?\*\//gs, "");
    expect(text).not.toMatch(/(from|import\() ?"(?!\.\/)|\.ts"|sourceMappingURL/);
  }
});
