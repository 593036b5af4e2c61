// replaceRow: table[index mod rows] = row, in place; the other rows stay.
@group(0) @binding(0) var<uniform> params: ReplaceRowParameters;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> row: array<f32>;
@group(0) @binding(3) var<storage, read_write> table: array<f32>;

@compute @workgroup_size(64)
fn replaceRow(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let i = (workgroup.x + workgroup.y * 65535u) * 64u + invocation;
  if (i >= params.width) {
    return;
  }
  let n = index[params.indexOffset] % params.rows;
  table[params.tableOffset + n * params.width + i] = row[params.rowOffset + i];
}
