import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root, workerNamed } from "../workers.ts";
import { Account } from "./account.ts";
import { transferObjects } from "./transfer-objects.ts";

const folder = mkdtempSync(join(tmpdir(), "vicinity-transfer-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes the configurations for an account that has some workers, and returns those of the objects' workers after it. */
async function configurationsIn(existing: readonly string[]): Promise<Record<string, string>> {
  const configOf = (worker: string): string => join(folder, `${worker}.toml`);
  const account = new Account(async (args) => {
    const exists = existing.some((worker) => args.includes(configOf(worker)));
    return exists ? { code: 0, output: "[]" } : { code: 1, output: 'Worker "it" not found.' };
  });
  const texts: Record<string, string> = {};
  for (const worker of ["user-session", "cell"]) {
    writeFileSync(configOf(worker), readFileSync(join(root, workerNamed(worker).config)));
    await transferObjects(account, worker, configOf);
    texts[worker] = readFileSync(configOf(worker), "utf8");
  }
  return texts;
}

describe("transferObjects", () => {
  const users =
    'transferred_classes = [{ from = "UserSession", from_script = "vicinity-recommendation", to = "UserSession" }]';
  const cells = 'transferred_classes = [{ from = "Cell", from_script = "vicinity-location", to = "Cell" }]';

  it("takes the objects over from the workers that held them", async () => {
    const texts = await configurationsIn(["recommendation", "location"]);
    expect(texts["user-session"]).toContain(users);
    expect(texts.cell).toContain(cells);
    for (const text of Object.values(texts)) expect(text).not.toContain("new_sqlite_classes");
  });

  it("creates the classes in a new account, and changes nothing once the workers exist", async () => {
    for (const existing of [[], ["recommendation", "location", "user-session", "cell"]])
      for (const text of Object.values(await configurationsIn(existing)))
        expect(text).toContain("new_sqlite_classes");
  });
});
