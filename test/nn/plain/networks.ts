/** Networks once more, from how their originals' programs read, one sample at a time: layers.ts has what they are made of. */
import {
  added,
  at,
  attention,
  chunk,
  conv2d,
  each,
  embedding,
  enlarged,
  geluTanh,
  groupNorm,
  layerNorm,
  linear,
  type Picture,
  plus,
  range,
  shrunk,
  silu,
  timeNumbers,
  type Vector,
  type Weights,
} from "./layers.ts";

const timeEmbedding = (weights: Weights, name: string, numbers: Vector): Vector =>
  linear(weights, `${name}.2`, silu(linear(weights, `${name}.0`, numbers)));

/** x (1 + scale) + shift. */
const modulated = (x: Vector, shift: Vector, scale: Vector): Vector =>
  x.map((value, i) => value * (1 + (scale[i] as number)) + (shift[i] as number));

export interface UNetOptions {
  readonly channels: number;
  readonly multipliers: Vector;
  readonly residualBlocks: number;
  readonly attentionAt: Vector;
  readonly heads: number;
  readonly attentionOrder: "heads" | "kinds";
  readonly resampling: "convolution" | "residual" | "plain";
  readonly scaleShift: boolean;
  readonly groups: number;
  readonly epsilon: number;
}

/** UNetModel of guided-diffusion's unet.py. */
export function unet(weights: Weights, options: UNetOptions, x: Picture, t: number): Picture {
  const { channels, multipliers, residualBlocks, attentionAt, heads, resampling, groups, epsilon } = options;
  const e = silu(timeEmbedding(weights, "time_embed", timeNumbers(t, channels / 2)));
  const norm = (name: string, h: Picture) => groupNorm(weights, name, h, groups, epsilon);
  const activated = (h: Picture) => each(h, silu);

  /** ResBlock; `resized` is its h_upd and x_upd. */
  const block = (name: string, h: Picture, resized = (one: Picture) => one): Picture => {
    const inner = conv2d(weights, `${name}.in_layers.2`, resized(activated(norm(`${name}.in_layers.0`, h))), {
      padding: 1,
    });
    const told = linear(weights, `${name}.emb_layers.1`, e);
    const [scale, shift] = chunk(told, 2) as [Vector, Vector];
    const rest = options.scaleShift
      ? each(norm(`${name}.out_layers.0`, inner), (pixel) => modulated(pixel, shift, scale))
      : norm(
          `${name}.out_layers.0`,
          each(inner, (pixel) => plus(pixel, told)),
        );
    const outer = conv2d(weights, `${name}.out_layers.3`, activated(rest), { padding: 1 });
    const before = resized(h);
    const skips = weights.has(`${name}.skip_connection.weight`);
    return added(skips ? conv2d(weights, `${name}.skip_connection`, before) : before, outer);
  };

  /** AttentionBlock, with QKVAttention ("kinds") or QKVAttentionLegacy ("heads"). */
  const attended = (name: string, h: Picture): Picture => {
    const tokens = norm(`${name}.norm`, h)
      .flat()
      .map((token) => linear(weights, `${name}.qkv`, token));
    const width = at(h, 0, 0).length / heads;
    const part = (kind: number, head: number) => {
      const from = options.attentionOrder === "heads" ? (3 * head + kind) * width : (kind * heads + head) * width;
      return tokens.map((token) => token.slice(from, from + width));
    };
    const all = range(heads).map((head) => attention(part(0, head), part(1, head), part(2, head)));
    const across = (h[0] as Vector[]).length;
    return each(h, (pixel, i, j) => {
      const joined = all.flatMap((tokens) => tokens[i * across + j] as Vector);
      return plus(pixel, linear(weights, `${name}.proj_out`, joined));
    });
  };

  const smaller = (name: string, h: Picture): Picture => {
    if (resampling === "residual") return block(name, h, shrunk);
    return resampling === "plain" ? shrunk(h) : conv2d(weights, `${name}.op`, h, { stride: 2, padding: 1 });
  };
  const larger = (name: string, h: Picture): Picture => {
    if (resampling === "residual") return block(name, h, enlarged);
    return resampling === "plain" ? enlarged(h) : conv2d(weights, `${name}.conv`, enlarged(h), { padding: 1 });
  };

  let h = conv2d(weights, "input_blocks.0.0", x, { padding: 1 });
  const kept = [h];
  multipliers.forEach((_, level) => {
    for (let j = 0; j < residualBlocks; j++) {
      const name = `input_blocks.${kept.length}`;
      h = block(`${name}.0`, h);
      if (attentionAt.includes(2 ** level)) h = attended(`${name}.1`, h);
      kept.push(h);
    }
    if (level === multipliers.length - 1) return;
    h = smaller(`input_blocks.${kept.length}.0`, h);
    kept.push(h);
  });
  h = block("middle_block.2", attended("middle_block.1", block("middle_block.0", h)));
  let count = 0;
  for (const level of range(multipliers.length).reverse()) {
    for (let j = 0; j <= residualBlocks; j++) {
      const name = `output_blocks.${count++}`;
      const skipped = kept.pop() as Picture;
      h = block(
        `${name}.0`,
        each(h, (pixel, row, column) => [...pixel, ...at(skipped, row, column)]),
      );
      const attends = attentionAt.includes(2 ** level);
      if (attends) h = attended(`${name}.1`, h);
      if (level > 0 && j === residualBlocks) h = larger(`${name}.${attends ? 2 : 1}`, h);
    }
  }
  return conv2d(weights, "out.2", activated(norm("out.0", h)), { padding: 1 });
}

export interface SiTOptions {
  readonly patch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly frequencies: number;
  readonly learnSigma: boolean;
  readonly epsilon: number;
}

/** get_2d_sincos_pos_embed of DiT's models.py: of "grid[0]", which holds columns, sines and cosines; then of rows. */
export function positionTable(rows: number, columns: number, width: number): Vector[] {
  const quarter = width / 4;
  const waves = (place: number) => {
    const phases = range(quarter).map((j) => place * (1 / 10_000 ** (j / quarter)));
    return [...phases.map(Math.sin), ...phases.map(Math.cos)].map(Math.fround); // a tensor of f32
  };
  return range(rows).flatMap((row) => range(columns).map((column) => [...waves(column), ...waves(row)]));
}

/** SiT of SiT's models.py, in evaluation. */
export function sit(weights: Weights, options: SiTOptions, x: Picture, t: number, label: number): Picture {
  const { patch, width, depth, heads, frequencies, learnSigma, epsilon } = options;
  const patches = conv2d(weights, "x_embedder.proj", x, { stride: patch });
  const [rows, columns] = [patches.length, (patches[0] as Vector[]).length];
  const positions = positionTable(rows, columns, width);
  let tokens = patches.flat().map((token, i) => plus(token, positions[i] as Vector));
  const time = timeEmbedding(weights, "t_embedder.mlp", timeNumbers(t, frequencies));
  const e = silu(plus(time, embedding(weights, "y_embedder.embedding_table", label)));
  const normal = (token: Vector) => layerNorm(token, epsilon);
  const gated = (token: Vector, gate: Vector, more: Vector) => token.map((value, i) => value + gate[i]! * more[i]!);
  for (let i = 0; i < depth; i++) {
    const name = `blocks.${i}`;
    const parts = chunk(linear(weights, `${name}.adaLN_modulation.1`, e), 6);
    const [shift1, scale1, gate1, shift2, scale2, gate2] = parts as [Vector, Vector, Vector, Vector, Vector, Vector];
    const joined = tokens.map((token) =>
      chunk(linear(weights, `${name}.attn.qkv`, modulated(normal(token), shift1, scale1)), 3 * heads),
    );
    const part = (kind: number, head: number) => joined.map((token) => token[kind * heads + head] as Vector);
    const all = range(heads).map((head) => attention(part(0, head), part(1, head), part(2, head)));
    tokens = tokens.map((token, place) => {
      const attended = all.flatMap((head) => head[place] as Vector);
      const seen = gated(token, gate1, linear(weights, `${name}.attn.proj`, attended));
      const hidden = geluTanh(linear(weights, `${name}.mlp.fc1`, modulated(normal(seen), shift2, scale2)));
      return gated(seen, gate2, linear(weights, `${name}.mlp.fc2`, hidden));
    });
  }
  const [shift, scale] = chunk(linear(weights, "final_layer.adaLN_modulation.1", e), 2) as [Vector, Vector];
  const last = tokens.map((token) => linear(weights, "final_layer.linear", modulated(normal(token), shift, scale)));
  const channels = at(x, 0, 0).length;
  const outputs = learnSigma ? 2 * channels : channels; // the second half of them is sigma
  return each(x, (_, row, column) => {
    const token = last[Math.floor(row / patch) * columns + Math.floor(column / patch)] as Vector;
    const from = ((row % patch) * patch + (column % patch)) * outputs;
    return token.slice(from, from + channels);
  });
}

export interface ResidualOptions {
  readonly depth: number;
  readonly frequencies: number;
  readonly timeScale: number;
  readonly epsilon: number;
}

/** SimpleMLPAdaLN of MAR's diffloss.py, told a label by a table. */
export function residualPerceptron(
  weights: Weights,
  { depth, frequencies, timeScale, epsilon }: ResidualOptions,
  x: Vector,
  t: number,
  label: number,
): Vector {
  const time = timeEmbedding(weights, "time_embed.mlp", timeNumbers(t, frequencies, timeScale));
  const e = silu(plus(time, embedding(weights, "cond_embed", label)));
  let h = linear(weights, "input_proj", x);
  for (let i = 0; i < depth; i++) {
    const name = `res_blocks.${i}`;
    const parts = chunk(linear(weights, `${name}.adaLN_modulation.1`, e), 3);
    const [shift, scale, gate] = parts as [Vector, Vector, Vector];
    const inner = modulated(layerNorm(h, epsilon, weights, `${name}.in_ln`), shift, scale);
    const more = linear(weights, `${name}.mlp.2`, silu(linear(weights, `${name}.mlp.0`, inner)));
    h = h.map((value, j) => value + gate[j]! * more[j]!);
  }
  const [shift, scale] = chunk(linear(weights, "final_layer.adaLN_modulation.1", e), 2) as [Vector, Vector];
  return linear(weights, "final_layer.linear", modulated(layerNorm(h, epsilon), shift, scale));
}
