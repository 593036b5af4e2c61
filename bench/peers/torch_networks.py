"""The bench's networks in PyTorch.

On the CPU it is a session as bench/child.mjs has them, for `npm run bench -- --networks`. Arguments: nothing that counts, and the
context as JSON, {"threads": n}. Then it does what lines of JSON on standard input say.

`python3 bench/peers/torch_networks.py --cuda [seconds a row, 1]` times all steps on the GPU at hand, f32 without TF32, stretches
of four waited for as training has them, and prints one JSON document: { "device", "torch", "rows": [{ "network", "workload", "ms", "best", "lossBefore", "lossAfter" }] }.

Weights and inputs follow from names, as in bench/divflow/network.ts. A step is loss, gradient and Adam. CFM: mean (v - u)^2.
FDM: CFM + 0.1 mean ((1 - t) r / D)^2, r by Hutchinson with one probe, its J z by autograd.grad with create_graph: double backward,
as the authors of FDM take it. Layouts inside are PyTorch's, channels first; points come channels last, as in divflow.
"""

import json
import math
import os
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

DIVERGENCE_WEIGHT, LEARNING_RATE, EVIDENCE_STEPS = 0.1, 1e-4, 3
WARM_SECONDS, SLOW_SECONDS, STRETCH = 0.6, 3.0, 4
on_cuda = sys.argv[1:2] == ["--cuda"]


def on_device(values):
    return torch.from_numpy(values).to("cuda" if on_cuda else "cpu")


def finished():
    if on_cuda:
        torch.cuda.synchronize()


def uniform_of(name, count):
    """`count` numbers in [0, 1) that follow from the name: uniformOf of bench/workload.mjs."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    h = np.uint32(seed) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    h ^= h >> np.uint32(16)
    return (h >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


class Parameters(dict):
    """Tensors by name, each made when it is first asked for."""

    def tensor(self, name, *shape):
        if name not in self:
            count = math.prod(shape)
            if len(shape) > 1:
                bound = np.float32(1 / math.sqrt(math.prod(shape[1:])))
                values = on_device(bound * (2 * uniform_of(name, count) - 1)).reshape(shape)
            else:
                values = on_device(np.full(shape, 1.0 if name.endswith("weight") else 0.0, np.float32))
            self[name] = values.requires_grad_()
        return self[name]

    def linear(self, name, h, outputs):
        return F.linear(h, self.tensor(f"{name}.weight", outputs, h.shape[-1]), self.tensor(f"{name}.bias", outputs))

    def conv1d(self, name, h, outputs, taps, **options):
        weight = self.tensor(f"{name}.weight", outputs, h.shape[1], taps)
        return F.conv1d(h, weight, self.tensor(f"{name}.bias", outputs), **options)

    def conv2d(self, name, h, outputs, taps, **options):
        weight = self.tensor(f"{name}.weight", outputs, h.shape[1], taps, taps)
        return F.conv2d(h, weight, self.tensor(f"{name}.bias", outputs), **options)

    def group_norm(self, name, h, groups):
        channels = h.shape[1]
        return F.group_norm(h, groups, self.tensor(f"{name}.weight", channels), self.tensor(f"{name}.bias", channels))

    def layer_norm(self, name, h):
        channels = h.shape[-1]
        weight, bias = self.tensor(f"{name}.weight", channels), self.tensor(f"{name}.bias", channels)
        return F.layer_norm(h, (channels,), weight, bias)


def waves(t, frequencies):
    """Phases in f64: in f32 those of high frequencies would be wrong. Sines and cosines [B, n]."""
    phase = t.double()[:, None] * on_device(np.asarray(frequencies, np.float32)).double()[None]
    return phase.sin().float(), phase.cos().float()


def decreasing(count, base=1e4, scale=1.0):
    return scale * base ** (-np.arange(count) / count)


def attention(q, k, v):
    return torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), -1) @ v


def unet1d(p, c, x, t, told):
    levels = list(zip(c["channels"], c["blocks"]))
    low, high = 1.0, 2e4
    n = c["frequencies"]
    sines, cosines = waves(t, math.pi * np.float32(low * (high / low) ** (np.arange(n) / (n - 1))).astype(np.float64))
    e = p.linear("time.linear1", torch.cat([sines, cosines], 1), c["hidden"])
    e = F.silu(p.linear("time.linear2", F.silu(e), 4 * c["channels"][0]))

    def block(name, h, outputs):
        scale, bias = p.linear(f"{name}.film", e, 2 * h.shape[1]).chunk(2, 1)
        groups = lambda a: max(1, min(a.shape[1] // 4, 32))
        r = h * (1 + scale[..., None]) + bias[..., None]
        r = p.conv1d(f"{name}.conv1", F.silu(p.group_norm(f"{name}.norm1", r, groups(r))), outputs, 3, padding=1)
        r = p.conv1d(f"{name}.conv2", F.silu(p.group_norm(f"{name}.norm2", r, groups(r))), outputs, 3, padding=1)
        return (p.linear(f"{name}.skip", h.transpose(1, 2), outputs).transpose(1, 2) + r) / 2**0.5

    h, saved = p.conv1d("input", x.transpose(1, 2), c["edge"], 3, padding=1), []
    for level, (channels, blocks) in enumerate(levels):
        if level:
            h = p.conv1d(f"downsample.{level}", h, channels, 2, stride=2)
        for j in range(blocks):
            h = block(f"down.{level}.{j}", h, channels)
            saved.append(h)
    for level, (channels, blocks) in reversed(list(enumerate(levels))):
        for j in range(blocks):
            h = block(f"up.{level}.{j}", (h + saved.pop()) / 2**0.5, channels)
        if level:
            h = p.conv1d(f"upsample.{level}", h, 2 * c["channels"][level - 1], 3, padding=1).transpose(1, 2)
            h = h.reshape(h.shape[0], 2 * h.shape[1], -1).transpose(1, 2)
    h = F.silu(p.conv1d("final", h, c["edge"], 3, padding=1))
    return p.conv1d("output", h, x.shape[2], 3, padding=1).transpose(1, 2)


def cnn(p, c, x, t, told):
    n = c["channels"]
    a = 1 + 7 * t
    w = (2 / (a + 1)).reshape(-1, 1, 1)
    phase = 2 * math.pi * a.double()[:, None] * on_device(np.float32(np.sin(np.arange(n // 2)))).double()
    e = F.relu(p.linear("time.linear", torch.cat([phase.sin(), phase.cos()], 1).float(), n))
    points = x.transpose(1, 2)
    h = F.relu(p.conv1d("input", torch.cat([(1 - w) * points, w * points], 1), n, 9, padding=4))
    for i, dilation in enumerate([1, 1, 4, 16, 64]):
        r = h + p.linear(f"blocks.{i}.time", e, n)[..., None]
        if c["classes"]:
            labels = F.embedding(told["label"], p.tensor("class.weight", c["classes"], n))
            r = r + p.linear(f"blocks.{i}.class", labels, n)[..., None]
        r = p.layer_norm(f"blocks.{i}.norm", r.transpose(1, 2)).transpose(1, 2)
        h = h + F.relu(p.conv1d(f"blocks.{i}.conv", r, n, 9, padding=4 * dilation, dilation=dilation))
    return p.conv1d("output2", F.relu(p.conv1d("output1", h, n, 1)), x.shape[2], 1).transpose(1, 2)


def transformer(p, c, x, t, told):
    width, heads, outer, middle = c["width"], c["heads"], c["outer"], c["middle"]
    batch, height, across, channels = x.shape

    def block(name, h):
        weight, bias = (p.tensor(f"{name}.self_attn.in_proj_{part}", *shape) for part, shape in
                        (("weight", (3 * width, width)), ("bias", (3 * width,))))
        joined = F.linear(p.layer_norm(f"{name}.norm1", h), weight, bias)
        q, k, v = joined.reshape(*h.shape[:2], 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        h = h + p.linear(f"{name}.self_attn.out_proj", attention(q, k, v).transpose(1, 2).reshape(h.shape), width)
        return h + p.linear(
            f"{name}.linear2", F.gelu(p.linear(f"{name}.linear1", p.layer_norm(f"{name}.norm2", h), 4 * width)), width
        )

    e = F.relu(p.linear("distance.linear1", told["distance"].log()[:, None], 64))
    e = p.linear("distance.linear2", e, width)
    fields = torch.cat([x, told["previous"], told["earlier"]], -1).flatten(1, 2)
    tokens = p.linear("project_in", fields, width) + p.tensor("positions", height * across, width) + e[:, None]
    h = torch.cat([torch.cat(waves(t, decreasing(width // 2, scale=200.0)), 1)[:, None], tokens], 1)
    saved = []
    for i in range(outer):
        h = block(f"in_blocks.{i}", h)
        saved.append(h)
    for i in range(middle):
        h = block(f"mid_blocks.{i}", h)
    for i in range(outer):
        h = block(f"out_blocks.{i}.block", p.linear(f"out_blocks.{i}.skip", torch.cat([h, saved.pop()], -1), width))
    y = p.layer_norm("project_out.norm", F.gelu(p.linear("project_out.linear", h[:, 1:], width)))
    y = y.transpose(1, 2).reshape(batch, width, height, across)
    return p.conv2d("output", y, channels, 3, padding=1).permute(0, 2, 3, 1)


def unet2d(p, c, x, t, told):
    m, multipliers, groups, heads = c["channels"], c["multipliers"], c["groups"], c["heads"]
    sines, cosines = waves(t, decreasing(m // 2))
    e = p.linear("time_embed.0", torch.cat([cosines, sines], 1), 4 * m)
    e = p.linear("time_embed.2", F.silu(e), 4 * m)
    e = F.silu(e + F.embedding(told["label"], p.tensor("label_emb.weight", c["classes"], 4 * m)))

    def res(name, h, outputs):
        r = F.silu(p.group_norm(f"{name}.in_layers.0", h, groups))
        r = p.conv2d(f"{name}.in_layers.2", r, outputs, 3, padding=1)
        r = r + p.linear(f"{name}.emb_layers.1", e, outputs)[..., None, None]
        r = F.silu(p.group_norm(f"{name}.out_layers.0", r, groups))
        skip = h if h.shape[1] == outputs else p.conv2d(f"{name}.skip_connection", h, outputs, 1)
        return skip + p.conv2d(f"{name}.out_layers.3", r, outputs, 3, padding=1)

    def att(name, h):
        batch, channels, height, width = h.shape
        joined = p.conv1d(f"{name}.qkv", p.group_norm(f"{name}.norm", h, groups).flatten(2), 3 * channels, 1)
        q, k, v = joined.reshape(batch * heads, 3 * channels // heads, height * width).transpose(1, 2).chunk(3, 2)
        seen = attention(q, k, v).transpose(1, 2).reshape(batch, channels, height * width)
        return h + p.conv1d(f"{name}.proj_out", seen, channels, 1).reshape(h.shape)

    h = p.conv2d("input_blocks.0.0", x.permute(0, 3, 1, 2), multipliers[0] * m, 3, padding=1)
    saved, i, last = [h], 1, len(multipliers) - 1
    for level, multiplier in enumerate(multipliers):
        h = res(f"input_blocks.{i}.0", h, multiplier * m)
        if 2**level in c["attention"]:
            h = att(f"input_blocks.{i}.1", h)
        saved.append(h)
        i += 1
        if level < last:
            h = p.conv2d(f"input_blocks.{i}.0.op", h, multiplier * m, 3, stride=2, padding=1)
            saved.append(h)
            i += 1
    inner = multipliers[-1] * m
    h = res("middle_block.2", att("middle_block.1", res("middle_block.0", h, inner)), inner)
    i = 0
    for level, multiplier in reversed(list(enumerate(multipliers))):
        for j in range(2):
            name = f"output_blocks.{i}"
            h = res(f"{name}.0", torch.cat([h, saved.pop()], 1), multiplier * m)
            attends = 2**level in c["attention"]
            if attends:
                h = att(f"{name}.1", h)
            if level and j == 1:
                h = F.interpolate(h, scale_factor=2, mode="nearest")
                h = p.conv2d(f"{name}.{2 if attends else 1}.conv", h, multiplier * m, 3, padding=1)
            i += 1
    return p.conv2d("out.2", F.silu(p.group_norm("out.0", h, groups)), x.shape[3], 3, padding=1).permute(0, 2, 3, 1)


def sit(p, c, x, t, told):
    width, heads, patch = c["width"], c["heads"], c["patch"]
    batch, height, across, channels = x.shape
    norm = lambda h: F.layer_norm(h, (width,), eps=1e-6)
    h = p.conv2d("x_embedder.proj", x.permute(0, 3, 1, 2), width, patch, stride=patch).flatten(2).transpose(1, 2)
    places = h.shape[1]
    h = h + on_device(np.float32(np.sin(np.arange(places * width)))).reshape(1, places, width)
    sines, cosines = waves(t, decreasing(c["frequencies"]))
    e = p.linear("t_embedder.mlp.0", torch.cat([cosines, sines], 1), width)
    e = p.linear("t_embedder.mlp.2", F.silu(e), width)
    e = F.silu(e + F.embedding(told["label"], p.tensor("y_embedder.embedding_table.weight", c["classes"] + 1, width)))
    for i in range(c["depth"]):
        name = f"blocks.{i}"
        shift1, scale1, gate1, shift2, scale2, gate2 = (
            p.linear(f"{name}.adaLN_modulation.1", e, 6 * width).unsqueeze(1).chunk(6, 2)
        )
        joined = p.linear(f"{name}.attn.qkv", norm(h) * (1 + scale1) + shift1, 3 * width)
        q, k, v = joined.reshape(batch, places, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        seen = attention(q, k, v).transpose(1, 2).reshape(h.shape)
        h = h + gate1 * p.linear(f"{name}.attn.proj", seen, width)
        within = p.linear(f"{name}.mlp.fc1", norm(h) * (1 + scale2) + shift2, 4 * width)
        h = h + gate2 * p.linear(f"{name}.mlp.fc2", F.gelu(within, approximate="tanh"), width)
    shift, scale = p.linear("final_layer.adaLN_modulation.1", e, 2 * width).unsqueeze(1).chunk(2, 2)
    y = p.linear("final_layer.linear", norm(h) * (1 + scale) + shift, patch * patch * channels)
    y = y.reshape(batch, height // patch, across // patch, patch, patch, channels)
    return y.permute(0, 1, 3, 2, 4, 5).reshape(x.shape)


# Sizes as bench/planning-cases.ts has them: forward, options, batch and sample, what the network is told.
CASES = {
    "unet1d": (unet1d, dict(channels=[24, 48, 96], blocks=[4, 8, 8], edge=128, frequencies=128, hidden=256), (64, 60, 3), {}),
    "unet1d-small": (unet1d, dict(channels=[16, 32, 64], blocks=[2, 2, 2], edge=64, frequencies=64, hidden=128), (128, 60, 3), {}),
    "cnn": (cnn, dict(channels=128, classes=3), (16, 256, 4), {"label": ()}),
    "cnn-toy": (cnn, dict(channels=64, classes=0), (512, 4, 40), {}),
    "unet2d": (
        unet2d,
        dict(channels=32, multipliers=[1, 2, 2], attention=[4], heads=4, groups=32, classes=10),
        (64, 28, 28, 1),
        {"label": ()},
    ),
    "sit": (sit, dict(width=128, heads=4, depth=4, patch=4, classes=10, frequencies=128), (64, 28, 28, 1), {"label": ()}),
    "transformer": (
        transformer,
        dict(width=128, heads=4, outer=2, middle=1),
        (32, 8, 8, 4),
        {"previous": (8, 8, 4), "earlier": (8, 8, 4), "distance": ()},
    ),
}


def step_of(name, loss_name):
    """A function that takes one training step and gives the loss before it."""
    forward, config, shape, conditions = CASES[name]
    batch, dimension = shape[0], math.prod(shape[1:])
    spread = lambda each: on_device(np.float32(math.sqrt(12)) * (uniform_of(each, batch * dimension) - np.float32(0.5))).reshape(shape)
    x0, x1 = spread("x0"), spread("x1")
    t = on_device(np.float32(0.9) * uniform_of("t", batch))
    z = on_device(np.where(uniform_of("z", batch * dimension) < 0.5, -1.0, 1.0).astype(np.float32)).reshape(shape)
    told = {
        each: on_device(np.arange(batch)) % 3
        if each == "label"
        else on_device(np.float32(0.5) + uniform_of(each, batch * math.prod(sizes))).reshape(batch, *sizes)
        for each, sizes in conditions.items()
    }
    p = Parameters()
    times = t.reshape(batch, *[1] * (len(shape) - 1))
    u = x1 - x0
    with torch.no_grad():
        forward(p, config, times * x1 + (1 - times) * x0, t, told)  # makes the parameters
    optimizer = torch.optim.Adam(list(p.values()), lr=LEARNING_RATE)

    def step():
        optimizer.zero_grad()
        x = (times * x1 + (1 - times) * x0).requires_grad_(loss_name == "fdm")
        v = forward(p, config, x, t, told)
        loss = ((v - u) ** 2).mean()
        if loss_name == "fdm":
            (product,) = torch.autograd.grad(v, x, z, create_graph=True)
            total = lambda a: a.flatten(1).sum(1)
            residual = total(z * product) + dimension / (1 - t) - total((v.detach() - u) * x0) / (1 - t)
            loss = loss + DIVERGENCE_WEIGHT * (((1 - t) * residual / dimension) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


class NotOffered(Exception):
    """What is left out, with the reason."""


class Session:
    """Steps by place: 0 takes the place of all others, as in bench/session.ts."""

    def __init__(self):
        self.steps = {}

    def ceiling(self):
        return None

    def prepare(self, task, place=0):
        if place == 0:
            self.steps.clear()
        self.steps.pop(place, None)
        step = self.steps[place] = step_of(task["network"], task["workload"])
        losses = []
        for i in range(EVIDENCE_STEPS + 1):
            start = time.perf_counter()
            losses.append(step().item())
            seconds = time.perf_counter() - start
            if seconds > task.get("mostSeconds", math.inf) * (4 if i == 0 else 1):
                del self.steps[place]
                raise NotOffered(f"a step takes {seconds:.1f} s, more than {task['mostSeconds']} s")
        milliseconds, start = 1e3 * seconds, time.perf_counter()
        while milliseconds < 1e3 * SLOW_SECONDS and time.perf_counter() < start + WARM_SECONDS:
            milliseconds = self.samples(1, place)[0]
        evidence = {"lossBefore": losses[0], "lossAfter": losses[EVIDENCE_STEPS], "deviation": None}
        return {"evidence": evidence, "units": 1, "milliseconds": milliseconds}

    def samples(self, count, place=0):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.steps[place]()
            finished()
            times.append(1e3 * (time.perf_counter() - start))
        return times

    def kinds(self, units, place=0):
        return None

    def close(self):
        self.steps.clear()


def products_by():
    """The library that multiplies matrices, where the system tells what this process has loaded: it makes much of the speed."""
    try:
        with open("/proc/self/maps") as maps:
            names = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
    except OSError:
        return ""
    return "".join(f", {name}" for name in sorted(names) if "cblas" not in name)


def send(message):
    sys.stdout.write(f"\n\x1e{json.dumps(message)}\n")
    sys.stdout.flush()


def rows_on_cuda(seconds):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    session, rows = Session(), []
    for network in CASES:
        for workload in ("cfm", "fdm"):
            prepared = session.prepare({"network": network, "workload": workload})
            times, end = [], time.perf_counter() + seconds
            while len(times) < 5 or time.perf_counter() < end:
                start = time.perf_counter()
                for _ in range(STRETCH):
                    session.steps[0]()
                finished()
                times.append(1e3 * (time.perf_counter() - start) / STRETCH)
            losses = {name: prepared["evidence"][name] for name in ("lossBefore", "lossAfter")}
            rows.append({"network": network, "workload": workload, "ms": statistics.median(times), "best": min(times), **losses})
    return {"device": torch.cuda.get_device_name(0), "torch": torch.__version__, "rows": rows}


if __name__ == "__main__":
    if on_cuda:
        print(json.dumps(rows_on_cuda(float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)))
        sys.exit()
    torch.set_num_threads(json.loads(sys.argv[-1])["threads"])
    session = Session()
    about = {"version": torch.__version__, "device": f"CPU, {torch.get_num_threads()} threads{products_by()}"}
    send({"result": {**about, "runtime": f"Python {sys.version.split()[0]}"}})
    for line in sys.stdin:
        question = json.loads(line)
        try:
            send({"result": getattr(session, question["method"])(*question["parameters"])})
        except Exception as error:  # said where it was asked
            left_out = isinstance(error, NotOffered)
            message = str(error) if left_out else f"{type(error).__name__}: {error}"
            send({"error": {"name": "NotOffered" if left_out else "Error", "message": message}})
        if question["method"] == "close":
            break
