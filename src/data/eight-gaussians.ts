import { f32Option, optionsObject } from "../graph/options.ts";
import { mixtureSource } from "./gaussian-mixture.ts";
import type { DataSource } from "./source.ts";

/**
 * Eight Gaussians of equal weight on a circle, at the angles k pi/4. Log-density, score and entropy are exact (the
 * entropy to about 1e-7).
 *
 * @param radius - of the circle, in data units, above 0; default 2 sqrt(2).
 * @param std - of each Gaussian, in data units, above 0; default sqrt(2)/4.
 * @throws {@link ConfigError} when one is outside its range.
 * @see Grathwohl et al., FFJORD (ICLR 2019), whose toy data has these proportions: radius 4, std 0.5, over sqrt(2).
 */
export function eightGaussians(options: { radius?: number; std?: number } = {}): DataSource {
  optionsObject("options of eightGaussians", options, ["radius", "std"]);
  const { radius = 2 * Math.SQRT2, std = Math.SQRT2 / 4 } = options;
  f32Option("radius of eightGaussians", radius, { minimum: 0, open: "minimum" });
  f32Option("std of eightGaussians", std, { minimum: 0, open: "minimum" });
  const components = Array.from({ length: 8 }, (_, k) => ({
    weight: 1 / 8,
    mean: [radius * Math.cos((k * Math.PI) / 4), radius * Math.sin((k * Math.PI) / 4)],
    variance: [std * std, std * std],
  }));
  return mixtureSource("eight-gaussians", { radius, std }, components);
}
