/** Networks beside the MLP behind weights that come without a description: what PyTorch's names and shapes tell. */
import { CheckpointError, ConfigError } from "../errors.ts";
import type { StoredTensor } from "./safetensors.ts";

/** Tensors by name, without what an enclosing module puts before. */
type Tensors = ReadonlyMap<string, StoredTensor>;

type Options = Readonly<Record<string, unknown>>;

interface Kind {
  /** A tensor that no other kind has. */
  readonly sign: string;
  /** What shapes tell; `undefined` where they do not, and there is no default either. */
  infer(tensors: Tensors): Options;
}

/** How wide the published SiT and DiT are, and how many heads they have: shapes do not tell. */
const publishedHeads: Readonly<Record<number, number>> = { 384: 6, 768: 12, 1024: 16, 1152: 16 };

/** As wide as the hidden layer of a block. */
const MIDDLE = "mid_blocks.0.linear1.weight";

const kinds: Readonly<Record<string, Kind>> = {
  unet2d: {
    sign: "input_blocks.0.0.weight",
    infer(tensors) {
      const size = sizesIn(tensors);
      const channels = size("time_embed.0.weight", 1);
      const inputs = numbersOf(tensors, /^input_blocks\.(\d+)\./);
      const last = Math.max(...inputs);
      const ups = [...tensors.keys()].filter((name) => /^output_blocks\.\d+\.[12]\.in_layers\.0\.weight$/.test(name));
      const convolutions = [...tensors.keys()].filter((name) => /^input_blocks\.\d+\.0\.op\.weight$/.test(name));
      const halvings = convolutions.length || ups.length || last + 1 - inputs.size;
      const residualBlocks = (last - halvings) / (halvings + 1);
      const levels = Array.from({ length: halvings + 1 }, (_, level) => 1 + level * (residualBlocks + 1));
      const widthAt = (block: number) => size(`input_blocks.${block}.0.out_layers.3.weight`, 0);
      const widths = levels.map(widthAt);
      const steered = size("input_blocks.1.0.emb_layers.1.weight", 0);
      return {
        sample: undefined,
        channels,
        multipliers: widths.map((width) => width / channels),
        residualBlocks,
        attentionAt: levels.flatMap((block, level) =>
          tensors.has(`input_blocks.${block}.1.qkv.weight`) ? 2 ** level : [],
        ),
        scaleShift: steered === 2 * widthAt(1),
        resampling: convolutions.length > 0 || halvings === 0 ? "convolution" : ups.length > 0 ? "residual" : "plain",
        ...labelled(tensors, "label_emb"),
      };
    },
  },
  sit: {
    sign: "x_embedder.proj.weight",
    infer(tensors) {
      const size = sizesIn(tensors);
      const [width, channels, patch] = [0, 1, 2].map((axis) => size("x_embedder.proj.weight", axis));
      const positions = tensors.get("pos_embed");
      const side = positions && Math.sqrt(positions.data.length / width) * patch;
      const labels = tensors.get("y_embedder.embedding_table.weight");
      return {
        sample: side !== undefined && Number.isInteger(side) ? [side, side, channels] : undefined,
        patch,
        width,
        depth: numbersOf(tensors, /^blocks\.(\d+)\./).size,
        heads: publishedHeads[width],
        mlpRatio: size("blocks.0.mlp.fc1.weight", 0) / width,
        frequencies: size("t_embedder.mlp.0.weight", 1) / 2,
        learnSigma: size("final_layer.linear.weight", 0) === 2 * patch * patch * channels,
        ...(labels ? { conditions: { label: { classes: labels.shape[0] - 1, drop: 0.1 } } } : {}),
      };
    },
  },
  residualMlp: {
    sign: "res_blocks.0.in_ln.weight",
    infer(tensors) {
      const size = sizesIn(tensors);
      return {
        dimension: size("input_proj.weight", 1),
        width: size("input_proj.weight", 0),
        depth: numbersOf(tensors, /^res_blocks\.(\d+)\./).size,
        frequencies: size("time_embed.mlp.0.weight", 1) / 2,
        ...labelled(tensors, "cond_embed"),
      };
    },
  },
  transformer: {
    sign: "project_in.weight",
    infer(tensors) {
      const size = sizesIn(tensors);
      const width = size("project_in.weight", 0);
      return {
        sample: undefined,
        width,
        heads: undefined,
        mlpRatio: size(tensors.has(MIDDLE) ? MIDDLE : "in_blocks.0.linear1.weight", 0) / width,
        outerBlocks: numbersOf(tensors, /^in_blocks\.(\d+)\./).size,
        middleBlocks: numbersOf(tensors, /^mid_blocks\.(\d+)\./).size,
        ...(size("project_in.weight", 1) === size("output.weight", 0) && !told(tensors)
          ? {}
          : { conditions: undefined }),
      };
    },
  },
  unet1d: {
    sign: "down.0.0.conv1.weight",
    infer(tensors) {
      const size = sizesIn(tensors);
      const levels = [...numbersOf(tensors, /^down\.(\d+)\./)];
      const frequencies = tensors.get("time.frequencies")?.data as Float32Array | undefined;
      return {
        sample: undefined,
        channels: levels.map((level) => size(`down.${level}.0.conv1.weight`, 0)),
        blocks: levels.map((level) => numbersOf(tensors, new RegExp(`^down\\.${level}\\.(\\d+)\\.`)).size),
        edgeChannels: size("input.weight", 0),
        frequencies: size("time.linear1.weight", 1) / 2,
        embeddingHidden: size("time.linear1.weight", 0),
        ...(frequencies ? { frequencyRange: [frequencies[0], frequencies[frequencies.length - 1]] } : {}),
        ...(told(tensors) ? { conditions: undefined } : {}),
      };
    },
  },
  cnn: {
    sign: "blocks.0.conv.weight",
    infer(tensors) {
      const size = sizesIn(tensors);
      const blocks = numbersOf(tensors, /^blocks\.(\d+)\./).size;
      const frequencies = tensors.get("time.frequencies")?.data as Float32Array | undefined;
      return {
        sample: undefined,
        channels: size("time.linear.weight", 0),
        ...(blocks % 5 === 0 ? { stacks: blocks / 5 } : { dilations: undefined }),
        ...(frequencies ? { frequencies: Array.from(frequencies) } : {}),
        ...labelled(tensors, "class"),
      };
    },
  },
};

/** What a shape's axis is called in what has to be said. */
const places: Readonly<Record<string, string>> = {
  ...{
    unet2d: "[height, width, channels]",
    transformer: "[height, width, channels]",
    sit: "[height, width, channels]",
  },
  ...{ unet1d: "[length, channels]", cnn: "[length, letters]" },
};

/** The kind of network whose tensors these are, and what stands before their names; undefined: none but the MLP. */
export function kindOfTensors(names: Iterable<string>): { readonly kind: string; readonly prefix: string } | undefined {
  for (const name of names) {
    for (const [kind, { sign }] of Object.entries(kinds)) {
      if (name === sign || name.endsWith(`.${sign}`)) return { kind, prefix: name.slice(0, -sign.length) };
    }
  }
  return undefined;
}

/**
 * The options of a network of this kind with these tensors.
 *
 * @param said - what the user says: it goes before what shapes tell, and is needed where they do not.
 * @throws {@link ConfigError} that names what has to be said.
 * @throws {@link CheckpointError} when a tensor is missing that tells.
 */
export function inferOptions(
  kind: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  prefix: string,
  said: Options,
  source: string,
): Options {
  const own = new Map(
    [...tensors].flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [])),
  );
  let inferred: Options;
  try {
    inferred = kinds[kind].infer(own);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError({ ...error.facts, subject: `${source}, ${error.facts.subject}` }, { cause: error });
  }
  const options = { ...inferred, ...said };
  const unsaid = Object.keys(options).filter((name) => options[name as keyof typeof options] === undefined);
  if (unsaid.length === 0) return options;
  throw new ConfigError({
    subject: `${kind} in ${source}`,
    given: "tensors alone",
    expected: `also ${unsaid.map((name) => (name === "sample" ? `sample ${places[kind]}` : name)).join(", ")}: shapes do not tell`,
    remedy: `Say it by the option network, ${kind}({ ... }), or config, { ${unsaid.map((name) => `${name}: ...`).join(", ")} }.`,
  });
}

/** The size of an axis of a tensor. */
function sizesIn(tensors: Tensors): (name: string, axis: number) => number {
  return (name, axis) => {
    const size = tensors.get(name)?.shape[axis];
    if (size) return size;
    throw new CheckpointError({
      subject: `tensor "${name}"`,
      given: tensors.get(name)?.shape ?? "nothing",
      expected: "one of the network whose other tensors the file has",
      remedy: "Save the whole state_dict.",
    });
  };
}

/** The numbers in names of this form. */
function numbersOf(tensors: Tensors, form: RegExp): Set<number> {
  return new Set(
    [...tensors.keys()]
      .flatMap((name) => (form.exec(name) ? [Number(form.exec(name)?.[1])] : []))
      .sort((a, b) => a - b),
  );
}

/** The label of a table, every row a class. */
function labelled(tensors: Tensors, table: string): Options {
  const rows = tensors.get(`${table}.weight`)?.shape[0];
  return rows ? { conditions: { label: { classes: rows } } } : {};
}

/** Whether the network is told numbers: of which shape, and under which name, tensors do not say. */
function told(tensors: Tensors): boolean {
  return [...tensors.keys()].some((name) => /^(?!time\.)[^.]+\.linear1\.weight$/.test(name));
}
