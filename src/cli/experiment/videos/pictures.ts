/** Pictures of films: strips of frames, and the films themselves, which play when they are asked for. */
import { escapeHtml, figureOf } from "../../report/html.ts";
import { greyPng } from "../../report/png.ts";
import type { Showing } from "../experiment.ts";
import type { VideoSettings } from "./settings.ts";

/** Films whose frames are shown side by side, and films that play. */
const STRIPS = 2;
const PLAYED = 4;

/** Predicted frames of a strip; before them stands the last one given. */
const SHOWN = 8;

/** Milliseconds that a frame is seen. */
const FRAME_TIME = 150;

/** Greys of the lines between frames, while these are given and while they are predicted. */
const [GIVEN, PREDICTED] = [90, 230];

/** Films of one maker, or true ones: levels from 0 to 1, [films, frames, side, side]. */
interface Row {
  readonly title: string;
  readonly style: string;
  readonly frame: (film: number, frame: number) => ArrayLike<number>;
}

export async function videoPictures({ settings, models, seeds, array }: Showing<VideoSettings>): Promise<string> {
  const [seed = 0] = seeds;
  const { side, given, predicted, heldOut } = settings;
  const size = side * side;
  const whole = (await array("held-out", seed)).data;
  const at = (values: ArrayLike<number>, frame: number) =>
    Array.prototype.slice.call(values, frame * size, (frame + 1) * size) as number[];
  const truth = (film: number, frame: number) => at(whole, film * (given + predicted) + frame);
  const shown = models.filter((one) => one.seed === seed && !["last", "others"].includes(one.loss));
  const made = await Promise.all(
    shown.map(async ({ title, style, array: own, judgement }): Promise<Row[]> => {
      if (judgement.failed !== undefined) return [];
      const values = (await own("frames")).data;
      const frame = (film: number, number: number) =>
        number < given ? truth(film, number) : at(values, film * predicted + number - given);
      return [{ title, style, frame }];
    }),
  );
  const rows: Row[] = [{ title: "True", style: "exact", frame: truth }, ...made.flat()];
  const numbers = framesShown(given, predicted);
  const strips = Array.from({ length: Math.min(STRIPS, heldOut) }, (_, film) => {
    const lines = rows.map(({ title, style, frame }) => {
      const picture = sideBySide(
        numbers.map((number) => frame(film, number)),
        side,
        GIVEN,
      );
      const words = `Frames ${numbers.map((number) => number + 1).join(", ")} of film ${film + 1}: ${title}`;
      return `<small class="${style}">${escapeHtml(title)}</small>${imageOf(greyPng(picture.width, side, [picture.levels]), words)}`;
    });
    const note = `frame ${given}, the last one given, then frames ${numbers
      .slice(1)
      .map((number) => number + 1)
      .join(", ")}`;
    return figureOf(`Film ${film + 1}`, note, [], `<div class="strips">${lines.join("")}</div>`);
  });
  return `<div class="row charts">${strips.join("")}</div>${playing(rows, settings)}`;
}

/** The last frame given, and some predicted ones, evenly. */
export function framesShown(given: number, predicted: number): readonly number[] {
  const many = Math.min(SHOWN, predicted);
  return [given - 1, ...Array.from({ length: many }, (_, i) => given - 1 + Math.round(((i + 1) * predicted) / many))];
}

/** Films that move only once they are asked for, and stop when that is closed: nobody has to see them move. */
function playing(rows: readonly Row[], { side, given, predicted, heldOut }: VideoSettings): string {
  const films = Array.from({ length: Math.min(PLAYED, heldOut) }, (_, film) => film);
  const frames = Array.from({ length: given + predicted }, (_, frame) => {
    const grey = frame < given ? GIVEN : PREDICTED;
    const lines = rows.map((row) =>
      sideBySide(
        films.map((film) => row.frame(film, frame)),
        side,
        grey,
      ),
    );
    return below(lines, grey);
  });
  const [{ width = 0, height = 0 } = {}] = frames;
  const picture = greyPng(
    width,
    height,
    frames.map(({ levels }) => levels),
    FRAME_TIME,
  );
  const titles = rows.map(({ title }) => title).join(", ");
  const note = `${films.length} films side by side; from above: ${titles}. Lines between them are dark while frames are given, light while they are predicted.`;
  return (
    `<details class="card films"><summary>Play the films</summary><p>${escapeHtml(note)}</p>` +
    `${imageOf(picture, `Films that move. From above: ${titles}`)}</details>`
  );
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly levels: Uint8Array;
}

/** Square frames, each from 0 to 1, with a line of a grey between them. */
export function sideBySide(frames: readonly ArrayLike<number>[], side: number, grey: number): Picture {
  const width = frames.length * (side + 1) - 1;
  const levels = new Uint8Array(width * side).fill(grey);
  for (const [place, frame] of frames.entries()) {
    for (let i = 0; i < side * side; i++)
      levels[Math.floor(i / side) * width + place * (side + 1) + (i % side)] = Math.round(255 * (frame[i] as number));
  }
  return { width, height: side, levels };
}

/** Pictures of one width, one below the other, with a line between them. */
function below(pictures: readonly Picture[], grey: number): Picture {
  const [{ width, height } = { width: 0, height: 0 }] = pictures;
  const levels = new Uint8Array(width * (pictures.length * (height + 1) - 1)).fill(grey);
  for (const [place, picture] of pictures.entries()) levels.set(picture.levels, place * (height + 1) * width);
  return { width, height: levels.length / width, levels };
}

function imageOf(png: Buffer, words: string): string {
  return `<img src="data:image/png;base64,${png.toString("base64")}" alt="${escapeHtml(words)}">`;
}
