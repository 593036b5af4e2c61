/** A plane with axes on a canvas: points, a map of densities, lines, and a point that can be dragged. */
import { gridlines } from "../page/chart.ts";
import { paint, type Table, type Theme } from "../page/colours.ts";
import { shortNumber } from "../page/words.ts";

export type Range = readonly [low: number, high: number];

export interface PlaneOptions {
  readonly theme: Theme;
  readonly box: readonly [Range, Range];
  readonly names: readonly [string, string];
}

/** Room for numbers and names, in pixels of style sheets. */
const [LEFT, BOTTOM, EDGE] = [46, 38, 8];

export class Plane {
  readonly #context: CanvasRenderingContext2D;
  readonly #ratio = devicePixelRatio;
  readonly #area: { left: number; right: number; top: number; bottom: number };
  readonly #options: PlaneOptions;

  /** Undefined where the canvas is not seen. */
  static cleared(canvas: HTMLCanvasElement, options: PlaneOptions): Plane | undefined {
    const context = canvas.getContext("2d");
    const [width, height] = [canvas.clientWidth * devicePixelRatio, canvas.clientHeight * devicePixelRatio].map(
      Math.round,
    );
    if (!context || !width || !height) return undefined;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    else context.clearRect(0, 0, width, height);
    return new Plane(context, options);
  }

  private constructor(context: CanvasRenderingContext2D, options: PlaneOptions) {
    this.#context = context;
    this.#options = options;
    const { width, height } = context.canvas;
    const ratio = this.#ratio;
    this.#area = {
      left: LEFT * ratio,
      right: width - EDGE * ratio,
      top: EDGE * ratio,
      bottom: height - BOTTOM * ratio,
    };
  }

  #x(value: number): number {
    const [low, high] = this.#options.box[0];
    return this.#area.left + ((value - low) / (high - low)) * (this.#area.right - this.#area.left);
  }

  #y(value: number): number {
    const [low, high] = this.#options.box[1];
    return this.#area.bottom - ((value - low) / (high - low)) * (this.#area.bottom - this.#area.top);
  }

  axes(): void {
    const { theme, box, names } = this.#options;
    const { left, right, top, bottom } = this.#area;
    const [context, ratio] = [this.#context, this.#ratio];
    context.strokeStyle = theme.line;
    context.lineWidth = ratio;
    context.strokeRect(left, top, right - left, bottom - top);
    context.fillStyle = theme.soft;
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    context.textAlign = "center";
    for (const x of gridlines(...box[0], false)) context.fillText(shortNumber(x), this.#x(x), bottom + 15 * ratio);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const y of gridlines(...box[1], false)) context.fillText(shortNumber(y), left - 6 * ratio, this.#y(y));
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillStyle = theme.ink;
    context.fillText(names[0], (left + right) / 2, bottom + 31 * ratio);
    context.save();
    context.translate(12 * ratio, (top + bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(names[1], 0, 0);
    context.restore();
  }

  map({ side, values }: { readonly side: number; readonly values: Float32Array }, table: Table): void {
    const most = values.reduce((largest, value) => Math.max(largest, value), 0) || 1;
    const { left, right, top, bottom } = this.#area;
    this.#context.imageSmoothingEnabled = true;
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(paint(values, side, [0, most], table), left, top, right - left, bottom - top);
  }

  /** Dots, each a copy of one: a path of a thousand arcs takes longer than a frame. */
  points(points: Float32Array, { colour, alpha, size }: { colour: string; alpha: number; size: number }): void {
    const context = this.#context;
    const dot = dotOf(colour, size * this.#ratio);
    const half = dot.width / 2;
    this.#clipped(() => {
      context.globalAlpha = alpha;
      for (let i = 0; i < points.length; i += 2) {
        const [x, y] = [this.#x(points[i] as number), this.#y(points[i + 1] as number)];
        if (Number.isFinite(x + y)) context.drawImage(dot, x - half, y - half);
      }
      context.globalAlpha = 1;
    });
  }

  /** Pieces [count, 4] of lines. */
  lines(
    pieces: Float32Array,
    { colour, width, dash = [] }: { colour: string; width: number; dash?: readonly number[] },
  ): void {
    const context = this.#context;
    this.#clipped(() => {
      context.beginPath();
      for (let i = 0; i < pieces.length; i += 4) {
        context.moveTo(this.#x(pieces[i] as number), this.#y(pieces[i + 1] as number));
        context.lineTo(this.#x(pieces[i + 2] as number), this.#y(pieces[i + 3] as number));
      }
      context.strokeStyle = colour;
      context.lineWidth = width * this.#ratio;
      context.setLineDash(dash.map((length) => length * this.#ratio));
      context.lineCap = "round";
      context.stroke();
      context.setLineDash([]);
    });
  }

  /** Lines through points [count, 2], each rounded off between them. */
  curves(
    all: readonly Float32Array[],
    { colour, width, alpha }: { colour: string; width: number; alpha: number },
  ): void {
    const context = this.#context;
    this.#clipped(() => {
      context.strokeStyle = colour;
      context.lineWidth = width * this.#ratio;
      context.lineJoin = "round";
      context.globalAlpha = alpha;
      for (const points of all) {
        context.beginPath();
        const at = (i: number, k: 0 | 1) => points[2 * Math.min(points.length / 2 - 1, Math.max(0, i)) + k] as number;
        context.moveTo(this.#x(at(0, 0)), this.#y(at(0, 1)));
        for (let i = 0; i < points.length / 2 - 1; i++) {
          // Catmull and Rom's curve as one of Bezier's.
          const control = (k: 0 | 1) =>
            [at(i, k) + (at(i + 1, k) - at(i - 1, k)) / 6, at(i + 1, k) - (at(i + 2, k) - at(i, k)) / 6] as const;
          const [[ax, bx], [ay, by]] = [control(0), control(1)];
          context.bezierCurveTo(
            this.#x(ax),
            this.#y(ay),
            this.#x(bx),
            this.#y(by),
            this.#x(at(i + 1, 0)),
            this.#y(at(i + 1, 1)),
          );
        }
        context.stroke();
      }
      context.globalAlpha = 1;
    });
  }

  /** A level across the plane. */
  level(y: number, colour: string): void {
    const [left, right] = this.#options.box[0];
    this.lines(Float32Array.of(left, y, right, y), { colour, width: 1.4, dash: [5, 4] });
  }

  /** What can be taken hold of. */
  handle([x, y]: readonly [number, number], { colour, isFocused }: { colour: string; isFocused: boolean }): void {
    const [context, ratio] = [this.#context, this.#ratio];
    const [across, up] = [this.#x(x), this.#y(y)];
    const paper = `rgb(${this.#options.theme.card.join(" ")})`;
    for (const [radius, fill] of [
      [isFocused ? 13 : 11, paper],
      [isFocused ? 11 : 9, colour],
      [3.5, paper],
    ] as const) {
      context.beginPath();
      context.arc(across, up, radius * ratio, 0, 2 * Math.PI);
      context.fillStyle = fill;
      context.fill();
    }
  }

  #clipped(draw: () => void): void {
    const { left, right, top, bottom } = this.#area;
    this.#context.save();
    this.#context.beginPath();
    this.#context.rect(left, top, right - left, bottom - top);
    this.#context.clip();
    draw();
    this.#context.restore();
  }
}

function dotOf(colour: string, radius: number): OffscreenCanvas {
  const size = 2 * Math.ceil(radius + 1);
  const dot = new OffscreenCanvas(size, size);
  const context = dot.getContext("2d");
  if (!context) return dot;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(size / 2, size / 2, radius, 0, 2 * Math.PI);
  context.fill();
  return dot;
}

/** Where in the box an event is, kept within it. */
export function placeIn(
  canvas: HTMLCanvasElement,
  box: readonly [Range, Range],
  { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
): readonly [number, number] {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const across = (clientX - left - LEFT) / (width - LEFT - EDGE);
  const up = 1 - (clientY - top - EDGE) / (height - EDGE - BOTTOM);
  const [first, second] = box;
  return [
    within(first, first[0] + across * (first[1] - first[0])),
    within(second, second[0] + up * (second[1] - second[0])),
  ];
}

export const within = ([low, high]: Range, value: number): number => Math.min(high, Math.max(low, value));
