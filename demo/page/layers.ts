/** Draws one model's picture, layer upon layer, on a canvas at the screen's own resolution. */
import type { Frames, Slice } from "../messages.ts";
import { classColours } from "./class-colours.ts";
import type { Theme } from "./colours.ts";

export interface Overlays {
  readonly particles: boolean;
  readonly data: boolean;
  readonly paths: boolean;
  readonly arrows: boolean;
  readonly lattice: boolean;
}

export interface Picture {
  readonly colour: string;
  readonly theme: Theme;
  readonly extent: number;
  readonly t: number;
  readonly overlays: Overlays;
  readonly frames: Frames | undefined;
  readonly slice: Slice | undefined;
  readonly data: Float32Array | undefined;
  /** The class of each of its points, where models are told classes. */
  readonly labels: Uint8Array | undefined;
  /** A pixel for each of its cells. */
  readonly map: OffscreenCanvas | undefined;
}

interface Place {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly ratio: number;
  x(value: number): number;
  y(value: number): number;
}

export function drawPicture(canvas: HTMLCanvasElement, picture: Picture): void {
  const place = cleared(canvas, picture.extent);
  if (!place) return;
  const { overlays, frames, slice } = picture;
  if (picture.map) drawMap(place, picture.map);
  if (overlays.data && picture.data) drawData(place, picture.data, picture);
  if (overlays.lattice && frames) drawLattice(place, frames, picture);
  if (overlays.paths && frames) drawPaths(place, frames, picture);
  if (overlays.particles && frames) drawParticles(place, frames, picture);
  if (overlays.arrows && slice?.arrows) drawArrows(place, slice.arrows, picture);
}

function cleared(canvas: HTMLCanvasElement, extent: number): Place | undefined {
  const context = canvas.getContext("2d");
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (!context || width === 0 || height === 0) return undefined;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  else context.clearRect(0, 0, width, height);
  return {
    ...{ context, width, ratio },
    x: (value) => (0.5 + value / (2 * extent)) * width,
    y: (value) => (0.5 - value / (2 * extent)) * height,
  };
}

function drawMap({ context, width }: Place, map: OffscreenCanvas): void {
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(map, 0, 0, width, width);
}

function drawData({ context, x, y, ratio }: Place, data: Float32Array, { theme, labels }: Picture): void {
  const colours = classColours(theme.isDark);
  context.fillStyle = theme.data;
  context.globalAlpha = 0.55;
  const size = 1.25 * ratio;
  for (let i = 0; i < data.length; i += 2) {
    if (labels) context.fillStyle = colours[labels[i / 2]!] ?? theme.data;
    context.fillRect(x(data[i]!) - size / 2, y(data[i + 1]!) - size / 2, size, size);
  }
  context.globalAlpha = 1;
}

/** Where in the frames a time is: the one before, and how far to the next. */
function frameAt({ times }: Frames, t: number): [frame: number, part: number] {
  const parts = times.length - 1;
  const frame = Math.min(parts - 1, Math.floor(t * parts));
  return [frame, t * parts - frame];
}

function positionsAt(points: Float32Array, frames: Frames, t: number): Float32Array {
  const length = points.length / frames.times.length;
  const [frame, part] = frameAt(frames, t);
  const [from, to] = [points.subarray(frame * length), points.subarray((frame + 1) * length)];
  return Float32Array.from({ length }, (_, i) => from[i]! + part * (to[i]! - from[i]!));
}

function drawParticles(
  { context, x, y, width, ratio }: Place,
  frames: Frames,
  { t, colour, map, theme }: Picture,
): void {
  const points = positionsAt(frames.particles, frames, t);
  const labels = frames.told?.labels;
  const radius = Math.max(1.1 * ratio, width / 330) * (labels ? 1.3 : 1);
  const trace = (size: number, isDrawn: (i: number) => boolean) => {
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      if (!isDrawn(i / 2)) continue;
      const [px, py] = [x(points[i]!), y(points[i + 1]!)];
      context.moveTo(px + size, py);
      context.arc(px, py, size, 0, 2 * Math.PI);
    }
  };
  // Over a map they are of the paper's colour with a rim, so that they are seen on every level of it; of classes, on a rim of paper.
  const paper = `rgb(${theme.card.join(" ")})`;
  context.fillStyle = map ? paper : colour;
  context.globalAlpha = map ? 0.95 : 0.8;
  if (!labels || map) {
    trace(labels ? radius + 0.6 * ratio : radius, () => true);
    context.fill();
  }
  if (labels) {
    for (const [label, own] of classColours(theme.isDark).entries()) {
      trace(radius, (i) => labels[i] === label);
      context.fillStyle = own;
      context.fill();
    }
  } else if (map) {
    context.strokeStyle = theme.ink;
    context.lineWidth = 0.6 * ratio;
    context.globalAlpha = 0.75;
    context.stroke();
  }
  context.globalAlpha = 1;
}

const MOST_PATHS = 90;

function drawPaths({ context, x, y, ratio }: Place, frames: Frames, { t, colour, theme, map }: Picture): void {
  const count = frames.particles.length / frames.times.length / 2;
  const [frame, part] = frameAt(frames, t);
  context.beginPath();
  for (let i = 0; i < Math.min(MOST_PATHS, count); i++) {
    const at = (which: number, axis: 0 | 1) => frames.particles[2 * (which * count + i) + axis] as number;
    context.moveTo(x(at(0, 0)), y(at(0, 1)));
    for (let which = 1; which <= frame; which++) context.lineTo(x(at(which, 0)), y(at(which, 1)));
    const end = (axis: 0 | 1) => at(frame, axis) + part * (at(frame + 1, axis) - at(frame, axis));
    context.lineTo(x(end(0)), y(end(1)));
  }
  context.strokeStyle = map ? theme.ink : colour;
  context.lineWidth = 0.9 * ratio;
  context.globalAlpha = 0.5;
  context.stroke();
  context.globalAlpha = 1;
}

function drawLattice({ context, x, y, ratio }: Place, frames: Frames, { t, theme }: Picture): void {
  const points = positionsAt(frames.lattice, frames, t);
  const side = frames.latticeSide;
  context.beginPath();
  for (const turned of [false, true]) {
    for (let line = 0; line < side; line++) {
      for (let i = 0; i < side; i++) {
        const at = 2 * (turned ? i * side + line : line * side + i);
        if (i === 0) context.moveTo(x(points[at]!), y(points[at + 1]!));
        else context.lineTo(x(points[at]!), y(points[at + 1]!));
      }
    }
  }
  context.strokeStyle = theme.ink;
  context.lineWidth = 0.8 * ratio;
  context.globalAlpha = 0.55;
  context.stroke();
  context.globalAlpha = 1;
}

function drawArrows(
  { context, x, y, width, ratio }: Place,
  { size, velocities }: NonNullable<Slice["arrows"]>,
  { extent, theme }: Picture,
): void {
  const cell = (2 * extent) / size;
  let most = 0;
  for (let i = 0; i < velocities.length; i += 2) most = Math.max(most, Math.hypot(velocities[i]!, velocities[i + 1]!));
  // The longest is as long as a cell; short ones are lengthened a little, or most could not be seen.
  const length = (speed: number) => (1.05 * cell * Math.sqrt(speed / most)) / Math.max(speed, 1e-9);
  context.strokeStyle = theme.ink;
  context.fillStyle = theme.ink;
  context.lineWidth = 1.2 * ratio;
  context.globalAlpha = 0.85;
  const head = Math.max(4 * ratio, width / 75);
  for (let i = 0; i < size * size; i++) {
    const [vx, vy] = [velocities[2 * i]!, velocities[2 * i + 1]!];
    const scale = length(Math.hypot(vx, vy));
    const [cx, cy] = [extent * ((2 * (i % size) + 1) / size - 1), extent * ((2 * Math.floor(i / size) + 1) / size - 1)];
    const [fromX, fromY] = [x(cx - (scale * vx) / 2), y(cy - (scale * vy) / 2)];
    const [toX, toY] = [x(cx + (scale * vx) / 2), y(cy + (scale * vy) / 2)];
    const angle = Math.atan2(toY - fromY, toX - fromX);
    const ear = (turn: number) => [toX - head * Math.cos(angle + turn), toY - head * Math.sin(angle + turn)] as const;
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
    context.beginPath();
    context.moveTo(toX, toY);
    context.lineTo(...ear(0.5));
    context.lineTo(...ear(-0.5));
    context.fill();
  }
  context.globalAlpha = 1;
}
