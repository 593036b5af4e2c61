/** The peers' versions, put in when their sessions are bundled. */
declare const PEER_VERSIONS: { readonly jax: string; readonly tfjs: string; readonly onnx: string };

export const versions = PEER_VERSIONS;
