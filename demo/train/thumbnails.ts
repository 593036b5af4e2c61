/** Small pictures of the sets to choose from: as points. */
import { dataFrom, sampleData } from "divflow";
import { namedSets } from "../messages.ts";

const POINTS = 220;

export function thumbnails(): Record<string, Float32Array> {
  const all = Object.keys(namedSets).map((name) => {
    const points = Float32Array.from(sampleData(dataFrom({ name, options: {} }), POINTS, 0));
    const extent = points.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return [name, points.map((value) => value / extent)] as const;
  });
  return Object.fromEntries(all);
}
