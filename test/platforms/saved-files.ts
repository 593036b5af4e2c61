/** Files that the demo hands out, and files that it is given. */
import type { Page } from "puppeteer";

export interface SavedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** In the page, before it is: keeps what it hands out, in place of the browser's downloads. */
export function keepFiles(): void {
  const blobs = new Map<string, Blob>();
  const made = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (blob: Blob) => {
    const address = made(blob);
    blobs.set(address, blob);
    return address;
  };
  const kept: { name: string; blob: Blob }[] = [];
  Object.assign(globalThis, { kept });
  HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
    kept.push({ name: this.download, blob: blobs.get(this.href) as Blob });
  };
}

/** The files that a button gives. */
export async function files(page: Page, name: string, count: number): Promise<SavedFile[]> {
  await page.evaluate(() => (globalThis as unknown as { kept: unknown[] }).kept.splice(0));
  await press(page, `take-${name}`);
  await page.waitForFunction(
    (wanted) => (globalThis as unknown as { kept: unknown[] }).kept.length === wanted,
    { timeout: 60_000 },
    count,
  );
  const given = await page.evaluate(async () => {
    const { kept } = globalThis as unknown as { kept: { name: string; blob: Blob }[] };
    return Promise.all(
      kept.map(async ({ name, blob }) => ({ name, bytes: [...new Uint8Array(await blob.arrayBuffer())] })),
    );
  });
  return given.map(({ name, bytes }) => ({ name, bytes: Uint8Array.from(bytes) }));
}

/** Drops a file on the page. */
export async function drop(page: Page, name: string, bytes: Uint8Array | string): Promise<void> {
  const letters = Buffer.from(bytes).toString("base64");
  await page.evaluate(
    (title, text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], title));
      for (const kind of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
    },
    name,
    letters,
  );
}

/** The weights of an MLP of points in the plane, one hidden layer of two, as PyTorch's users save them: no metadata. */
export function torchWeights(): Uint8Array<ArrayBuffer> {
  const tensors = { "0.weight": [2, 3], "0.bias": [2], "2.weight": [2, 2], "2.bias": [2] };
  let end = 0;
  const header = Object.entries(tensors).map(([name, shape]) => {
    const start = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "F32", shape, data_offsets: [start, end] }];
  });
  const text = JSON.stringify(Object.fromEntries(header)).padEnd(320);
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(new TextEncoder().encode(text), 8);
  const values = Float32Array.from({ length: end / 4 }, (_, i) => Math.sin(i + 1));
  bytes.set(new Uint8Array(values.buffer), 8 + text.length);
  return bytes;
}

export const press = (page: Page, id: string) => page.$eval(`#${id}`, (button) => (button as HTMLElement).click());

export async function state(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((name) => document.body.dataset["state"] === name, { timeout: 90_000 }, wanted);
}
