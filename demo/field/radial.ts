/** A field that is round about the middle, from a table along one radius: for formulas that are asked at very many points. */
import { DIVERGENCE, LOG, newLocal, SX, SY, type Truth, UX, UY } from "./truth.ts";

const LONGEST = 9;
const NODES = 450;

/** The same truth, to some 1e-3: between two nodes of the radius all is taken as a line. Made anew for each time. */
export function radialTruth(truth: Truth): Truth {
  const table = new Float64Array(4 * (NODES + 1));
  const here = newLocal();
  let prepared = Number.NaN;
  const prepare = (t: number) => {
    prepared = t;
    for (let i = 0; i <= NODES; i++) {
      truth.at((LONGEST * i) / NODES, 0, t, here);
      table.set([here[LOG]!, here[UX]!, here[DIVERGENCE]!, here[SX]!], 4 * i);
    }
  };
  return {
    at(x, y, t, out) {
      if (t !== prepared) prepare(t);
      const radius = Math.hypot(x, y);
      const place = Math.min(NODES - 1e-9, (radius / LONGEST) * NODES);
      const from = 4 * Math.floor(place);
      const part = place - Math.floor(place);
      const value = (of: number) => table[from + of]! + part * (table[from + 4 + of]! - table[from + of]!);
      const [cos, sin] = radius > 0 ? [x / radius, y / radius] : [1, 0];
      const [velocity, score] = [value(1), value(3)];
      out[LOG] = value(0);
      out[UX] = velocity * cos;
      out[UY] = velocity * sin;
      out[DIVERGENCE] = value(2);
      out[SX] = score * cos;
      out[SY] = score * sin;
    },
  };
}
