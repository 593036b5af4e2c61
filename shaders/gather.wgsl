// gather: out[m] = table[indices[m]], rows of `width` elements. One invocation per element of out.
@group(0) @binding(0) var<uniform> params: GatherParameters;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let i = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  if (i >= params.count * params.width) {
    return;
  }
  let row = indices[params.indicesOffset + i / params.width];
  out[params.outOffset + i] = table[params.tableOffset + row * params.width + i % params.width];
}
