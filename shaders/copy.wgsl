// copy: bits from one strided array of up to 4 axes to another; src/kernels/copy.ts. One invocation per element.
@group(0) @binding(0) var<uniform> params: CopyParameters;
@group(0) @binding(1) var<storage, read> origin: array<u32>;
@group(0) @binding(2) var<storage, read_write> place: array<u32>;

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  var i = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  if (i >= params.size0 * params.size1 * params.size2 * params.size3) {
    return;
  }
  let i3 = i % params.size3;
  i /= params.size3;
  let i2 = i % params.size2;
  i /= params.size2;
  let i1 = i % params.size1;
  let i0 = i / params.size1;
  let source = params.sourceStart + i0 * params.sourceStride0 + i1 * params.sourceStride1 + i2 * params.sourceStride2
    + i3 * params.sourceStride3;
  let at = params.targetStart + i0 * params.targetStride0 + i1 * params.targetStride1 + i2 * params.targetStride2
    + i3 * params.targetStride3;
  place[params.targetOffset + at] = origin[params.sourceOffset + source];
}
