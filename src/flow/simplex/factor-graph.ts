/** The Dirichlet path's factor as plain data, tables and all: what guides letters needs it where there is no code for tables. */
import type { Node } from "../../graph/node.ts";
import { reshape } from "../../ops/shape.ts";
import { type Trace, traceOf } from "../../trace/trace.ts";
import { factorInputs, type LettersConfig } from "../paths/graph-letters.ts";
import { factorNodes } from "./factor-nodes.ts";
import { factorTable } from "./factor-table.ts";

/** From points [B, L K] and concentrations [B, 1] to C and C / x [B, L K]. */
export function factorGraph(sample: LettersConfig["sample"]): Trace {
  const tables = factorTable(sample[1]);
  return traceOf("factors of letters", factorInputs(sample), (inputs, rows) => {
    const x = inputs.get("x") as Node;
    const { factor, ratio } = factorNodes(tables, reshape(x, [rows, ...sample]), inputs.get("a") as Node);
    return { factor: reshape(factor, x.shape), ratio: reshape(ratio, x.shape) };
  });
}
