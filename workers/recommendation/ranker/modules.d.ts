/** A compiled module: wrangler compiles it at deployment, since Workers may not compile at run time. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** A model as bytes, by the `Data` rule of wrangler.toml. */
declare module "*.onnx" {
  const bytes: ArrayBuffer;
  export default bytes;
}
