/** What is put around hand-written WGSL, and picked out of it. */

/**
 * What a shader with subgroup operations begins with. All invocations come to these: loops' bounds are the same for all,
 * which compilers cannot always see.
 */
export const subgroupDirectives = "enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n";

/** The code, with the directive before it that f16 needs. */
export function withDirectives(code: string): string {
  return /\b(f16|vec4h)\b/.test(code) ? `enable f16;\n${code}` : code;
}

/**
 * The declarations of `sources` that `text` needs, directly or through others, in the order they stand there. What the text
 * itself declares takes the place of a source's.
 */
export function declarationsFor(text: string, sources: readonly string[]): string[] {
  const declarations = new Map(sources.flatMap((source) => [...declarationsOf(source)]));
  for (const name of declarationsOf(text).keys()) declarations.delete(name);
  const needed = new Set<string>();
  const visit = (code: string) => {
    for (const [word] of code.matchAll(/\b[A-Za-z_]\w*\b/g)) {
      const declaration = declarations.get(word);
      if (!declaration || needed.has(word)) continue;
      needed.add(word);
      visit(declaration);
    }
  };
  visit(text);
  return [...declarations].filter(([name]) => needed.has(name)).map(([, code]) => code);
}

/** Name -> text of each function, constant and struct at the top level of a module; entry points and what is bound are not. */
function declarationsOf(code: string): Map<string, string> {
  const declarations = new Map<string, string>();
  let name = "";
  let depth = 0;
  for (const line of code.split("\n")) {
    if (depth === 0) name = /^(?:fn|const|struct)\s+(\w+)/.exec(line)?.[1] ?? "";
    if (name) declarations.set(name, declarations.has(name) ? `${declarations.get(name)}\n${line}` : line);
    depth += line.split(/[{(]/).length - line.split(/[})]/).length;
  }
  return declarations;
}

/** The struct of a uniform whose fields are all of 4 bytes, and the uniform: bound as `params`, or by another name. */
export function uniformOf(
  struct: string,
  fields: Iterable<readonly [field: string, type: string]>,
  name = "params",
): string {
  const members = [...fields].map(([field, type]) => `  ${field}: ${type},\n`).join("");
  return `struct ${struct} {\n${members}}\n@group(0) @binding(0) var<uniform> ${name}: ${struct};`;
}
