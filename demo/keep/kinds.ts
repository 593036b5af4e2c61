/** What a file that was dropped or opened is, by what is in it; its name may say anything. */

export type Given =
  /** A safetensors file. */
  | { readonly kind: "model"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** JSON, in whatever form. */
  | { readonly kind: "settings"; readonly text: string }
  /** Rows of numbers as text, or npy. */
  | { readonly kind: "table"; readonly bytes: Uint8Array<ArrayBuffer> };

/** How files of other kinds begin, and what they are called. */
const foreign: readonly (readonly [start: readonly number[], what: string])[] = [
  [[0x50, 0x4b, 3, 4], "a ZIP archive, as npz and PyTorch's own files are"],
  [[0x80, 2], "a pickle of Python"],
  [[0x1f, 0x8b], "compressed by gzip"],
  [[0x25, 0x50, 0x44, 0x46], "a PDF"],
  [[0x89, 0x50, 0x4e, 0x47], "a picture"],
  [[0xff, 0xd8, 0xff], "a picture"],
  [[0x47, 0x49, 0x46, 0x38], "a picture"],
  [[0x89, 0x48, 0x44, 0x46], "an HDF5 file"],
];
const EXPECTED =
  "a model (.safetensors, or a page of one), settings (.json), or a table of numbers (CSV, npy) can be opened here";

/** How much of a text is looked at. */
const LOOKED_AT = 4096;
const MAGIC_NPY = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** @throws Error with a sentence for the visitor, of files of other kinds. */
export function givenIn(name: string, bytes: Uint8Array<ArrayBuffer>): Given {
  if (bytes.length === 0) throw new Error(`${name} is empty; ${EXPECTED}.`);
  if (beginsWith(bytes, MAGIC_NPY)) return { kind: "table", bytes };
  if (isSafetensors(bytes)) return { kind: "model", bytes };
  const what = foreign.find(([start]) => beginsWith(bytes, start))?.[1];
  if (what) throw new Error(`${name} is ${what}; ${EXPECTED}.`);
  const start = new TextDecoder().decode(bytes.subarray(0, LOOKED_AT)).replace(/^\uFEFF/, "");
  if (/\.safetensors$/i.test(name)) {
    throw new Error(`${name} is cut short or damaged: no safetensors file begins like this; ${EXPECTED}.`);
  }
  if (start.includes("\0")) throw new Error(`${name} is of a kind that this page does not know; ${EXPECTED}.`);
  if (/^\s*<(!doctype|html)/i.test(start)) return { kind: "model", bytes: modelInPage(name, bytes) };
  if (/^\s*[{[]/.test(start)) return { kind: "settings", text: new TextDecoder().decode(bytes) };
  return { kind: "table", bytes };
}

function beginsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((value, i) => bytes[i] === value);
}

/** Eight bytes of the header's length, then the header: an object in JSON. */
function isSafetensors(bytes: Uint8Array<ArrayBuffer>): boolean {
  if (bytes.length < 10) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return bytes[8] === 0x7b && length <= BigInt(bytes.length - 8);
}

/** Of the pages that the library's exportHtml makes. */
function modelInPage(name: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const [, letters] = /<script type="text\/plain" id="model">([^<]*)</.exec(new TextDecoder().decode(bytes)) ?? [];
  try {
    const model = Uint8Array.from(atob(letters ?? ""), (letter) => letter.charCodeAt(0));
    if (isSafetensors(model)) return model;
  } catch {} // no base64
  throw new Error(`${name} is a page without a model of divflow in it; ${EXPECTED}.`);
}
