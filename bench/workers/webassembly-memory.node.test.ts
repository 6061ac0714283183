import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { webAssemblyMegabytes } from "./webassembly-memory.ts";

describe("webAssemblyMegabytes", () => {
  it("counts readable parts of whole pages before the rest of a reserved memory", () => {
    const maps = [
      "7e0000000000-7e0001020000 rw-p 00000000 00:00 0",
      "7e0001020000-7e0100010000 ---p 00000000 00:00 0",
      // A heap's reservation: less than a memory may grow to.
      "7d0000000000-7d0000640000 rw-p 00000000 00:00 0",
      "7d0000640000-7d00e8000000 ---p 00000000 00:00 0",
      "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 [heap]",
      "",
    ].join("\n");
    expect(webAssemblyMegabytes(maps)).toBe(16.125);
  });

  it.skipIf(process.platform !== "linux")("finds a memory of this process", () => {
    const readMegabytes = () => webAssemblyMegabytes(readFileSync("/proc/self/maps", "utf8"));
    const before = readMegabytes();
    // The types of Node name the interface of WebAssembly only.
    const { Memory } = Reflect.get(globalThis, "WebAssembly");
    const memory = new Memory({ initial: 160, maximum: 65_536, shared: true });
    expect(readMegabytes() - before).toBe(10);
    expect(memory.buffer.byteLength).toBe(10 * 1024 * 1024);
  });
});
