/** Samples of shape [L, C], as lines over their positions: a panel for each channel. */
import { drawAxes, wider, widestLabel } from "./axes.ts";
import { type DrawnSamples, type Range, rangeOf, sized, type View } from "./samples.ts";

const MOST_PANELS = 8;
const MOST_LINES = 32;
const BOTTOM = 26;
const GAP = 14;

export const lines: View = (canvas, samples, colours, width) => {
  const [length, channels] = samples.shape as [number, number];
  const [panels, shown] = [Math.min(channels, MOST_PANELS), Math.min(samples.count, MOST_LINES)];
  const each = Math.max(110, Math.min(260, 560 / panels));
  const context = sized(canvas, width, panels * (each + BOTTOM + GAP) - GAP);
  const ranges = Array.from({ length: panels }, (_, channel) => wider(rangeOf(samples.values, channel, channels)));
  const left = Math.max(...ranges.map((range) => widestLabel(context, range, 4))) + 10;
  const x: Range = { low: 0, high: Math.max(1, length - 1) };
  for (const [channel, y] of ranges.entries()) {
    const box = { left, top: channel * (each + BOTTOM + GAP) + 2, width: width - left - 8, height: each };
    const name = channels === 1 ? "" : `channel ${channel + 1}`;
    const { across, up } = drawAxes(context, box, { x, y }, { x: "position", y: name }, colours);
    // The first one last, on top: it is the one that is followed by eye from panel to panel.
    for (let i = shown - 1; i >= 0; i--) {
      context.strokeStyle = i === 0 ? colours.ink : lineColour(samples, i, colours);
      context.globalAlpha = i === 0 ? 1 : 0.45;
      context.lineWidth = i === 0 ? 2 : 1.2;
      context.beginPath();
      for (let position = 0; position < length; position++) {
        const value = samples.values[i * samples.dimension + position * channels + channel] as number;
        context.lineTo(across(position), up(value));
      }
      context.stroke();
    }
    context.globalAlpha = 1;
  }
  const those = shown < samples.count ? `, of which ${shown} are shown` : "";
  const panelsShown = panels < channels ? `, of which the first ${panels} are shown` : "";
  const of = channels === 1 ? "" : ` of ${channels} channels${panelsShown}`;
  return `${samples.count.toLocaleString("en")} sequences of ${length} positions${of}${those}; the bold line is the first of them.`;
};

function lineColour({ labels }: DrawnSamples, i: number, colours: Parameters<View>[2]): string {
  if (!labels || labels.names.length > colours.labels.length) return colours.dots;
  return colours.labels[labels.of[i] as number] as string;
}
