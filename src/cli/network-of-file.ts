/** The network of a model file that training begins at. The trainer reads the file's weights, and says what is wrong. */
import { type ActivationKind, activationKinds, ConfigError, mlp, type Network, networkFromConfig } from "../index.ts";

/** What a safetensors file says of itself, ahead of its numbers. */
type Header = Readonly<Record<string, { readonly shape?: readonly number[]; readonly divflow?: string } | undefined>>;

/**
 * @param activation - of a file that holds weights alone, as PyTorch saves; another one than a file's own is refused.
 * @returns undefined where the bytes are no model.
 * @throws {@link ConfigError} when a file of weights alone comes without the activation.
 */
export async function networkOfFile(
  file: string,
  bytes: Uint8Array,
  activation: ActivationKind | undefined,
): Promise<Network | undefined> {
  const header = headerOf(bytes);
  if (!header) return undefined;
  const facts = header["__metadata__"]?.divflow;
  return facts === undefined ? ofWeights(file, header, activation) : ofFacts(file, facts, activation);
}

function headerOf(bytes: Uint8Array): Header | undefined {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    return typeof header === "object" && header !== null ? (header as Header) : undefined;
  } catch {
    return undefined;
  }
}

async function ofFacts(
  file: string,
  facts: string,
  activation: ActivationKind | undefined,
): Promise<Network | undefined> {
  let network: Network;
  try {
    const { kind, config } = JSON.parse(facts).network;
    network = await networkFromConfig(kind, config);
  } catch {
    return undefined;
  }
  const own = (network.config as { readonly activation?: unknown }).activation;
  if (activation === undefined || activation === own) return network;
  throw new ConfigError({
    subject: `activation of the network in ${file}`,
    given: activation,
    expected: `${own}, as the file says`,
    remedy: "Leave --activation out.",
  });
}

/** Linear layers one after the other, by the numbers in their names: the matrix of each is [out, in]. */
function ofWeights(file: string, header: Header, activation: ActivationKind | undefined): Network | undefined {
  const layers = Object.entries(header).flatMap(([name, tensor]) => {
    const number = /(?<!\d)(\d+)\.weight$/.exec(name)?.[1];
    const width = tensor?.shape?.[0];
    return number !== undefined && Number.isSafeInteger(width)
      ? [{ number: Number(number), width: Number(width) }]
      : [];
  });
  const hidden = layers.sort((a, b) => a.number - b.number).map(({ width }) => width);
  const dimension = hidden.pop();
  if (!dimension || hidden.length === 0 || hidden.includes(0)) return undefined;
  if (activation) return mlp({ dimension, hidden, activation });
  throw new ConfigError({
    subject: `activation of the network in ${file}`,
    given: "nothing",
    expected: `one of ${activationKinds.join(", ")}`,
    remedy: "The file holds weights alone: say which activation they were trained with, by --activation.",
  });
}
