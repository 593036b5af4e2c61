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

/** Values of what is round, at points [count, 2], from those at some points of one radius. */
export async function byRadius(
  points: Float32Array,
  along: (radii: Float32Array) => Promise<ArrayLike<number>>,
): Promise<Float64Array> {
  const radii = Float32Array.from({ length: 2 * (COARSE + 1) }, (_, i) => (i % 2 === 0 ? (REACH * i) / 2 / COARSE : 0));
  const values = await along(radii);
  return Float64Array.from({ length: points.length / 2 }, (_, i) => {
    const place = Math.min(COARSE - 1e-9, (Math.hypot(points[2 * i]!, points[2 * i + 1]!) / REACH) * COARSE);
    const [from, part] = [Math.floor(place), place - Math.floor(place)];
    return values[from]! + part * (values[from + 1]! - values[from]!);
  });
}

/** As far as a picture's corner, and points until there. */
const REACH = 5.2;
const COARSE = 260;
