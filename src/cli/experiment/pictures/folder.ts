/** A user's own pictures: a folder of PNG, PGM and PPM files, whose folders are classes, or a .npy file of [count, H, W, C]. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { DataError, readNpy } from "../../../index.ts";
import type { AllPictures } from "./data.ts";
import { namedShape } from "./data.ts";
import { sizeOfPicture } from "./picture.ts";
import { type OnePicture, readPng } from "./png-file.ts";
import { resized } from "./resize.ts";

/** Fewer would leave nothing to judge by. */
const FEWEST = 20;

const MOST_CLASSES = 255;

interface Listed {
  readonly file: string;
  /** Number of its class. */
  readonly label: number;
}

/** What a folder has: files by name, and its folders as classes, where pictures are in these. */
export interface PictureList {
  readonly files: readonly Listed[];
  readonly classes?: readonly string[];
}

const readers: Readonly<Record<string, (bytes: Uint8Array, path: string) => OnePicture>> = {
  ".png": readPng,
  ".pgm": readNetpbm,
  ".ppm": readNetpbm,
  ".pnm": readNetpbm,
};

const kindOf = (name: string) => extname(name).toLowerCase();
const isPicture = (name: string) => !name.startsWith(".") && kindOf(name) in readers;

function refuse(subject: string, given: string, expected: string, remedy: string): never {
  throw new DataError({ subject, given, expected, remedy });
}

/** Looks at names alone. @throws {@link DataError} when there are no pictures, or both in the folder and in folders of it. */
export function listPictures(path: string): PictureList {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (cause) {
    const given = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new DataError(
      { subject: path, given, expected: "a folder of pictures, or a .npy file", remedy: "Check the path." },
      { cause },
    );
  }
  if (!isFolder && kindOf(path) === ".npy") return { files: [{ file: path, label: 0 }] };
  if (!isFolder) refuse(path, "a file", "a folder of pictures, or a .npy file", "Name the folder that it is in.");
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const own = entries.filter((one) => one.isFile()).map(({ name }) => name);
  const inFolders = entries
    .filter((one) => one.isDirectory() && !one.name.startsWith("."))
    .map(({ name }) => ({ name, all: readdirSync(join(path, name)).sort() }));
  const folders = inFolders
    .map(({ name, all }) => ({ name, files: all.filter(isPicture) }))
    .filter(({ files }) => files.length > 0);
  const alone = own.filter(isPicture);
  if (alone.length > 0 && folders.length > 0) {
    const given = `${alone.length} pictures in it, and others in its folder ${folders[0]?.name}`;
    refuse(path, given, "pictures in it, or in a folder for each class", "Move them.");
  }
  const count = alone.length + folders.reduce((sum, { files }) => sum + files.length, 0);
  if (count < FEWEST) {
    const jpegs = [...own, ...inFolders.flatMap(({ all }) => all)].filter((one) => /\.jpe?g$/i.test(one)).length;
    const given = `${count} pictures${jpegs > 0 ? ` beside ${jpegs} JPEG files` : ""}`;
    refuse(
      path,
      given,
      `at least ${FEWEST} files .png, .pgm or .ppm in it, or in a folder for each class`,
      jpegs > 0 ? "JPEG is not read: magick mogrify -format png *.jpg makes PNG files of them." : "Add some.",
    );
  }
  if (folders.length > MOST_CLASSES)
    refuse(path, `${folders.length} folders`, `at most ${MOST_CLASSES}, one for each class`, "Put them together.");
  if (folders.length < 2) {
    const [only] = folders;
    const files = only ? only.files.map((file) => join(path, only.name, file)) : alone.map((file) => join(path, file));
    return { files: files.map((file) => ({ file, label: 0 })) };
  }
  return {
    files: folders.flatMap(({ name, files }, label) => files.map((file) => ({ file: join(path, name, file), label }))),
    classes: folders.map(({ name }) => name),
  };
}

/**
 * The pictures, cut to the middle square and made `side` wide; with 0 as they are, all of one size.
 *
 * @throws {@link DataError} when one is damaged, or of another size: it names the file.
 */
export function readPictures(path: string, side: number): AllPictures {
  const { files, classes } = listPictures(path);
  const found = kindOf(path) === ".npy" ? readArray(path) : files.map(({ file }) => readOne(file));
  const squares = found.map((one) => (side > 0 ? { ...one, ...resized({ ...one, count: 1 }, side) } : one));
  const [first] = squares as [OnePicture, ...OnePicture[]];
  const channels = squares.some((one) => one.channels === 3) ? 3 : 1;
  const shape = { height: first.height, width: first.width, channels };
  const size = sizeOfPicture(shape);
  const levels = new Uint8Array(squares.length * size);
  squares.forEach((one, i) => {
    if (one.height !== shape.height || one.width !== shape.width) {
      const [file, other] = [files[i], files[0]].map((each) => each?.file ?? path) as [string, string];
      const expected = `${namedShape(first)}, as ${other} is`;
      refuse(
        file,
        `a picture of ${namedShape(one)}`,
        expected,
        "Cut them alike, or --set side=32 makes squares of all.",
      );
    }
    const repeats = channels / one.channels; // grey among coloured ones
    for (let k = 0; k < size; k++) levels[i * size + k] = one.levels[repeats === 1 ? k : Math.floor(k / 3)] as number;
  });
  const labels = Uint8Array.from(squares, (_, i) => files[i]?.label ?? 0);
  return { pictures: { ...shape, levels, count: squares.length, labels }, ...(classes ? { classes } : {}) };
}

function readOne(file: string): OnePicture {
  const reader = readers[kindOf(file)] as (typeof readers)[string];
  return reader(new Uint8Array(readFileSync(file)), file);
}

/** Binary PGM and PPM: "P5" or "P6", width, height and the largest value, which comments may come between. */
export function readNetpbm(bytes: Uint8Array, path: string): OnePicture {
  const head = Buffer.from(bytes.subarray(0, 1024)).toString("latin1");
  const found = /^P([56])(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s/.exec(head);
  const [all = "", kind, width, height, most] = found ?? [];
  const channels = kind === "6" ? 3 : 1;
  const size = Number(width) * Number(height) * channels;
  if (!found || !(Number(most) > 0 && Number(most) < 256) || !(size > 0))
    refuse(path, "another header", "binary PGM or PPM (P5, P6) of at most 255 levels", "Save it as one, or as PNG.");
  const pixels = bytes.subarray(all.length, all.length + size);
  if (pixels.length < size)
    refuse(path, "a file that ends in the middle", `${size} bytes of pixels`, "Copy it again, or take it away.");
  const levels = Uint8Array.from(pixels, (value) => Math.min(255, Math.round((255 * value) / Number(most))));
  return { levels, width: Number(width), height: Number(height), channels };
}

/** Whole numbers from 0 to 255, [count, H, W] or [count, H, W, C] with C of 1 or 3. */
function readArray(path: string): OnePicture[] {
  const { data, shape } = readNpy(new Uint8Array(readFileSync(path)), path);
  const [count = 0, height = 0, width = 0, channels = 1] = shape;
  const isShape = (shape.length === 3 || shape.length === 4) && (channels === 1 || channels === 3);
  if (!isShape || count < FEWEST)
    refuse(path, `shape [${shape.join(", ")}]`, `[count, H, W, 1 or 3] of at least ${FEWEST}`, "Put channels last.");
  const wrong = data.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= 255));
  if (wrong >= 0)
    refuse(path, String(data[wrong]), "levels, whole numbers from 0 to 255", "Multiply shares by 255 and round them.");
  const levels = Uint8Array.from(data);
  const size = height * width * channels;
  return Array.from({ length: count }, (_, i) => {
    return { levels: levels.subarray(i * size, (i + 1) * size), height, width, channels };
  });
}
