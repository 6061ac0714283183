import { describe, expect, it } from "vitest";
import { add, assign, constant, get, loopWhile, moduleOf, signed, subtract, unsigned } from "./assembler.ts";
import { webAssembly } from "./web-assembly.ts";

describe("LEB128", () => {
  it("encodes the examples of the specification's reference", () => {
    expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]);
    expect(unsigned(0)).toEqual([0]);
    expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
    expect(signed(64)).toEqual([0xc0, 0x00]);
    expect(signed(-1)).toEqual([0x7f]);
  });
});

describe("moduleOf", () => {
  it("returns a module whose function runs its code", () => {
    const [address, count] = [0, 1];
    const body = [
      ...loopWhile(get(count), assign(count, get(count), constant(1), subtract)),
      // Stores address + 7 in the byte at `address`.
      ...get(address),
      ...get(address),
      ...constant(7),
      ...add,
      ...[0x3a, 0, 0],
    ];
    const module = new webAssembly.Module(moduleOf("run", { parameters: 2, integers: 0, vectors: 0 }, body));
    const memory = new webAssembly.Memory({ initial: 1 });
    const { run } = new webAssembly.Instance(module, { env: { memory } }).exports;
    (run as (address: number, count: number) => void)(35, 3);
    expect(new Uint8Array(memory.buffer)[35]).toBe(42);
  });
});
