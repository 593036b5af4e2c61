"""The bench's training steps in PyTorch on the GPU at hand: python3 bench/peers/torch_steps.py

CFM and FDM (residual form, one Rademacher probe, v held constant in (v - u).s) of the network 3-H-H-H-H-2 with silu, loss, gradient
and fused Adam, all f32: TF32 is off. FDM's tangent goes forward by hand, as whoever wants it fast in PyTorch writes it.
Each step runs eagerly and as a CUDA graph, which leaves the host nothing to do. Then the ceilings: f32 products, a copy.
Prints one JSON document: { "device", "torch", "rows": [{ "workload", "width", "batch", "how", "ms" }], "products", "copy" }.
"""

import json
import statistics
import time

import torch

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
device = "cuda"


def milliseconds(run, seconds=1.0, runs=20):
    """The median over stretches of `runs` runs, for about so many seconds."""
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    measured, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(measured) < 3:
        start = time.perf_counter()
        for _ in range(runs):
            run()
        torch.cuda.synchronize()
        measured.append((time.perf_counter() - start) / runs * 1e3)
    return statistics.median(measured)


def network(parameters, h):
    for i in range(0, len(parameters), 2):
        h = torch.addmm(parameters[i + 1], h, parameters[i])
        if i < len(parameters) - 2:
            h = torch.nn.functional.silu(h)
    return h


def network_and_tangent(parameters, h, tangent):
    for i in range(0, len(parameters), 2):
        h, tangent = torch.addmm(parameters[i + 1], h, parameters[i]), tangent @ parameters[i]
        if i < len(parameters) - 2:
            s = torch.sigmoid(h)
            tangent, h = tangent * s * (1 + h * (1 - s)), h * s
    return h, tangent


def step_of(loss_name, width, batch):
    """A function that takes one training step on given inputs."""
    generator = torch.Generator().manual_seed(0)
    sizes = [3, width, width, width, width, 2]
    parameters = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        for shape in ((inputs, outputs), (outputs,)):
            values = (torch.rand(shape, generator=generator) * 2 - 1) * inputs**-0.5
            parameters.append(values.to(device).requires_grad_())
    normal = lambda: torch.randn(batch, 2, generator=generator).to(device)
    x1, x0, probe = normal(), normal(), torch.sign(normal())
    t = torch.rand(batch, 1, generator=generator).to(device) * 0.9
    x, u, score = t * x1 + (1 - t) * x0, x1 - x0, -x0 / (1 - t)
    optimizer = torch.optim.Adam(parameters, lr=1e-3, capturable=True, fused=True)

    def loss():
        inputs = torch.cat([x, t], 1)
        if loss_name == "cfm":
            return ((network(parameters, inputs) - u) ** 2).mean()
        v, product = network_and_tangent(parameters, inputs, torch.cat([probe, torch.zeros_like(t)], 1))
        divergence = (probe * product).sum(1, keepdim=True)
        residual = (1 - t) * (divergence + 2 / (1 - t) + ((v.detach() - u) * score).sum(1, keepdim=True))
        return ((v - u) ** 2).mean() + 0.1 * (residual**2).mean()

    def step():
        optimizer.zero_grad(set_to_none=False)
        loss().backward()
        optimizer.step()

    return step


def as_graph(step):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


rows = []
for width, batch in ((128, 512), (512, 512), (1024, 2048)):
    for workload in ("cfm", "fdm"):
        step = step_of(workload, width, batch)
        for how, run in (("eager", step), ("CUDA graph", as_graph(step))):
            rows.append({"workload": workload, "width": width, "batch": batch, "how": how, "ms": milliseconds(run)})

products = {}
for size in (512, 1024, 2048, 4096):
    a, b = torch.randn(size, size, device=device), torch.randn(size, size, device=device)
    products[size] = 2 * size**3 / milliseconds(lambda: a @ b, 0.5) / 1e6  # GFLOP/s
source = torch.empty(1 << 28, device=device)
target = torch.empty_like(source)
copy = 2 * 4 * source.numel() / milliseconds(lambda: target.copy_(source), 0.5) / 1e6  # GB/s read and written

print(
    json.dumps(
        {
            "device": torch.cuda.get_device_name(0),
            "torch": torch.__version__,
            "rows": rows,
            "products": products,
            "copy": copy,
        }
    )
)
