/** What a posterior's file holds beside its model: transforms, names, the observation. In the metadata of the model's own file. */
import { fingerprint } from "../data/fingerprint.ts";
import { CheckpointError } from "../errors.ts";
import { isRecord } from "../graph/options.ts";
import { type ParameterPlace, ParameterTable } from "./parameters.ts";
import { parseTransform, type Transform } from "./transforms.ts";

/** Of the file's metadata: JSON, and what tells whether it is as it was written. */
const ENTRY = "divflow.posterior";
const CHECKSUM = "divflow.posterior.checksum";
const FORM = 1;

/** What `divflow.posterior` says. */
export interface PosteriorFacts {
  readonly table: ParameterTable;
  readonly observation: ObservationFacts;
  readonly seed: number;
}

/** The observation, and what simulations gave in its place. */
export interface ObservationFacts {
  readonly shape: readonly number[];
  /** Left out: none was given. */
  readonly values?: readonly number[];
  /** Least and greatest of each number over all simulations. */
  readonly least: readonly number[];
  readonly greatest: readonly number[];
  readonly count: number;
}

/** The bytes of a model's file with these facts in its header. */
export function withFacts(model: Uint8Array, { table, observation, seed }: PosteriorFacts): Uint8Array {
  const text = JSON.stringify({
    ...{ form: FORM, parameters: table.places, transforms: table.transforms },
    ...{ observation, seed },
  });
  const { header, data } = parts(model);
  const begin = '{"__metadata__":{';
  if (!header.startsWith(begin)) throw damaged("model file", header.slice(0, 40), `a header that begins with ${begin}`);
  const entries = [ENTRY, text, CHECKSUM, sumOf(text)].map((each) => JSON.stringify(each));
  const [name, json, sumName, sum] = entries;
  const longer = new TextEncoder().encode(`${begin}${name}:${json},${sumName}:${sum},${header.slice(begin.length)}`);
  const length = Math.ceil(longer.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + data.length).fill(0x20, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(longer, 8);
  bytes.set(data, 8 + length);
  return bytes;
}

/**
 * @param source - the file's name, for messages.
 * @throws {@link CheckpointError} when it is no posterior's file, or damaged.
 */
export function factsOf(bytes: Uint8Array, source: string): PosteriorFacts {
  const { header } = parts(bytes, source);
  const metadata = (parsed(header) as { __metadata__?: unknown } | undefined)?.__metadata__;
  const text = isRecord(metadata) ? metadata[ENTRY] : undefined;
  if (typeof text !== "string" || !isRecord(metadata)) {
    throw damaged(
      source,
      "a file without a posterior",
      "what posterior.checkpoint() gave",
      "Load other models by load().",
    );
  }
  const facts = parsed(text);
  if (metadata[CHECKSUM] !== sumOf(text) || !isRecord(facts)) throw damaged(source, text, "the text that was written");
  if (facts["form"] !== FORM) {
    throw damaged(
      source,
      `form ${facts["form"]}`,
      `form ${FORM}`,
      "A later version of divflow wrote it: use that one.",
    );
  }
  const { parameters, transforms, observation, seed } = facts as Record<string, never>;
  const list = (transforms as unknown[]).map(parseTransform);
  if (!list.every((one) => one !== undefined)) throw damaged(source, transforms, "transforms of parameters");
  const table = new ParameterTable(parameters as readonly ParameterPlace[], list as readonly Transform[]);
  return { table, observation: observation as ObservationFacts, seed: seed as number };
}

function parts(bytes: Uint8Array, source = "model file"): { header: string; data: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? -1 : Number(view.getBigUint64(0, true));
  if (length < 0 || 8 + length > bytes.length) throw damaged(source, `${bytes.length} bytes`, "a whole header");
  return { header: new TextDecoder().decode(bytes.subarray(8, 8 + length)), data: bytes.subarray(8 + length) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const sumOf = (text: string) => fingerprint(Float64Array.from(text, (one) => one.codePointAt(0) as number));

function damaged(source: string, given: unknown, expected: string, remedy?: string): CheckpointError {
  return new CheckpointError({
    subject: source,
    given,
    expected,
    remedy: remedy ?? "The file is damaged, or no posterior's; fetch it or save it again.",
  });
}
