/** A compiled module. */
export type WasmModule = object;

/**
 * The part of the WebAssembly JavaScript Interface (W3C, 2.0) that the kernel needs. The types of Node and of Workers
 * each lack some of it: Workers forbid to compile a module, and Node's types have no values.
 */
interface WebAssemblyInterface {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  Instance: new (
    module: WasmModule,
    imports: Record<string, Record<string, object>>,
  ) => { exports: Record<string, unknown> };
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

export const { WebAssembly: webAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyInterface };
