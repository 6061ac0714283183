import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../workers.ts";
import { hashOfInputs } from "./input-hash.ts";

const folder = mkdtempSync(join(tmpdir(), "vicinity-inputs-"));
const file = join(folder, "source.ts");
const source = relative(root, file);
afterAll(() => rmSync(folder, { recursive: true }));

describe("hashOfInputs", () => {
  it("changes with the content of a source file, and with the list of files", () => {
    writeFileSync(file, "export const a = 1;\n");
    const first = hashOfInputs("wrangler.toml", [source]);
    expect(hashOfInputs("wrangler.toml", [source])).toBe(first);
    expect(hashOfInputs("wrangler.toml", [])).not.toBe(first);
    writeFileSync(file, "export const a = 2;\n");
    expect(hashOfInputs("wrangler.toml", [source])).not.toBe(first);
  });

  it("changes with the configuration", () => {
    expect(hashOfInputs("wrangler.toml", [])).not.toBe(hashOfInputs("workers/user/wrangler.toml", []));
  });

  it("returns null where a source file was removed", () => {
    expect(hashOfInputs("wrangler.toml", [`${source}.removed`])).toBeNull();
  });
});
