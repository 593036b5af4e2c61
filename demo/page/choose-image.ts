/** An image that is chosen, dropped or pasted: shown with the points that are taken of it. */
import { darkPlaces, type Pixels, SIDE } from "./dark.ts";
import { element } from "./elements.ts";
import { type Ink, inkAt } from "./letters.ts";

/** Of the canvas, in its own pixels for each of the picture's. */
const ZOOM = 4;

export interface ImageChoice {
  readonly chosen: (title: string, ink: Ink) => void;
  readonly refuse: (message: string) => void;
  readonly colour: () => string;
}

export class ChooseImage {
  #pixels: { readonly title: string; readonly picture: Pixels } | undefined;
  readonly #to: ImageChoice;

  constructor(to: ImageChoice) {
    this.#to = to;
    const input = element<HTMLInputElement>("image-file");
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) void this.open(file);
    });
    element("image-light").addEventListener("change", () => this.#use());
    addEventListener("paste", ({ clipboardData }) => {
      const file = [...(clipboardData?.files ?? [])].find(isImage);
      if (file) void this.open(file);
    });
  }

  async open(file: File): Promise<void> {
    try {
      this.#pixels = { title: file.name.slice(0, 40), picture: await pixelsOf(file) };
    } catch {
      this.#to.refuse(`${file.name} could not be read as an image: PNG, JPEG, WebP and SVG can be.`);
      return;
    }
    this.#use();
  }

  #use(): void {
    if (!this.#pixels) return;
    const { title, picture } = this.#pixels;
    const takesLight = element<HTMLInputElement>("image-light").checked;
    const kind = takesLight ? "light" : "dark";
    const { places, apart } = darkPlaces(picture, takesLight);
    this.#draw(picture, places);
    element("image-canvas").setAttribute("aria-label", `${title}: ${places.length} points where it is ${kind}`);
    if (places.length === 0) this.#to.refuse(`${title} has no ${kind} pixels.`);
    else this.#to.chosen(title, inkAt(places, apart));
  }

  /** The picture, faint, and on it what is taken. */
  #draw(picture: Pixels, places: readonly (readonly [x: number, y: number])[]): void {
    const canvas = element<HTMLCanvasElement>("image-canvas");
    canvas.hidden = false;
    [canvas.width, canvas.height] = [ZOOM * picture.width, ZOOM * picture.height];
    const context = canvas.getContext("2d");
    if (!context) return;
    const own = new OffscreenCanvas(picture.width, picture.height);
    own.getContext("2d")?.putImageData(picture as ImageData, 0, 0);
    context.globalAlpha = 0.45;
    context.drawImage(own, 0, 0, canvas.width, canvas.height);
    context.globalAlpha = 1;
    context.fillStyle = this.#to.colour();
    for (const [x, y] of places) {
      context.beginPath();
      context.arc(ZOOM * (x + 0.5), ZOOM * (0.5 - y), 0.7 * ZOOM, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

export const isImage = (file: File) => file.type.startsWith("image/");

/** By an element, which reads SVG too. */
async function pixelsOf(file: File): Promise<ImageData> {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
  } finally {
    URL.revokeObjectURL(image.src);
  }
  const { naturalWidth: across = SIDE, naturalHeight: down = SIDE } = image;
  const scale = SIDE / Math.max(across, down, 1);
  const [width, height] = [across, down].map((size) => Math.max(1, Math.round(scale * size))) as [number, number];
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
