import { type MatrixMemory, PlainMemory, WasmMemory } from "./matrix-memory.ts";
import { matrixKernel } from "./wasm/matrix-kernel.ts";
import { type WasmModule, webAssembly } from "./wasm/web-assembly.ts";

/** The compiled kernel; null where the runtime forbids it; undefined before the first use. */
let module: WasmModule | null | undefined;

/** Returns the compiled kernel, or null if the runtime forbids to compile WebAssembly, as workerd does. */
function compiledKernel(): WasmModule | null {
  try {
    return new webAssembly.Module(matrixKernel());
  } catch {
    return null;
  }
}

/** Returns a memory for a tape: of WebAssembly if the runtime compiles it. */
export function newMatrixMemory(): MatrixMemory {
  if (module === undefined) module = compiledKernel();
  return module ? new WasmMemory(module) : new PlainMemory();
}
