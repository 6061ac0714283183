/** A WebAssembly module. Wrangler compiles it at deployment, because Workers must not compile at run time. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** A model file as bytes, imported by the `Data` rule of wrangler.toml. */
declare module "*.onnx" {
  const bytes: ArrayBuffer;
  export default bytes;
}
