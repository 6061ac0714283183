import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { keyFrom } from "./read-key.ts";
import { openSecretOutput } from "./secret-output.ts";

const folder = mkdtempSync(join(tmpdir(), "vicinity-secrets-"));
afterAll(() => rmSync(folder, { recursive: true }));

const sources = {
  values: {},
  environment: {},
  isInteractive: false,
  ask: () => Promise.reject(new Error("nobody may be asked")),
  fallback: null,
};

describe("keyFrom", () => {
  it("reads a file of this user only, then the environment, then asks on a terminal", async () => {
    const file = join(folder, "key");
    writeFileSync(file, "vic_admin_file\n", { mode: 0o600 });
    const environment = { VICINITY_KEY: "vic_admin_environment" };
    expect(await keyFrom({ ...sources, values: { "key-file": file }, environment })).toBe("vic_admin_file");
    expect(await keyFrom({ ...sources, environment, fallback: "dev-admin-key" })).toBe(
      "vic_admin_environment",
    );
    expect(await keyFrom({ ...sources, fallback: "dev-admin-key" })).toBe("dev-admin-key");
    const ask = async () => "vic_admin_typed";
    expect(await keyFrom({ ...sources, isInteractive: true, ask })).toBe("vic_admin_typed");
    chmodSync(file, 0o644);
    await expect(keyFrom({ ...sources, values: { "key-file": file } })).rejects.toThrow(`chmod 600 ${file}`);
  });

  it("refuses a secret among the arguments, and a missing key, and says how to give it", async () => {
    expect(await keyFrom({ ...sources, values: { key: "dev-admin-key" } })).toBe("dev-admin-key");
    for (const values of [{ key: "vic_admin_secret" }, {}])
      await expect(keyFrom({ ...sources, values })).rejects.toThrow("--key-file FILE");
    await expect(keyFrom({ ...sources, values: { key: "vic_admin_secret" } })).rejects.not.toThrow(
      "vic_admin_secret",
    );
    const empty = join(folder, "empty");
    writeFileSync(empty, "\n", { mode: 0o600 });
    await expect(keyFrom({ ...sources, values: { "key-file": empty } })).rejects.toThrow("contains no key");
  });
});

describe("openSecretOutput", () => {
  const terminal = { file: undefined, isTerminal: true, environment: {} };

  it("prints a secret on a terminal only, never into a pipe or the log of a pipeline", () => {
    expect(openSecretOutput(terminal).write("secret")).toContain("secret");
    for (const elsewhere of [{ isTerminal: false }, { environment: { CI: "true" } }])
      expect(() => openSecretOutput({ ...terminal, ...elsewhere })).toThrow("--key-file FILE");
  });

  it("writes a new file that only its owner may read, and overwrites none", () => {
    const file = join(folder, "new-key");
    const inPipeline = { file, isTerminal: false, environment: { CI: "true" } };
    const line = openSecretOutput(inPipeline).write("secret");
    expect(line).not.toContain("secret,");
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["secret\n", 0o600]);
    expect(() => openSecretOutput(inPipeline)).toThrow("exists already");
    expect(readFileSync(file, "utf8")).toBe("secret\n");
    const discarded = { ...inPipeline, file: join(folder, "discarded") };
    openSecretOutput(discarded).discard();
    openSecretOutput(discarded).discard();
  });
});
