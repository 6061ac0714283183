import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { commandDatabase } from "../databases/command-database.ts";
import { Account } from "../deploy/account/account.ts";
import { AccountSecrets } from "./account-secrets.ts";
import { LocalSecrets, tokenSecretVariables } from "./local-secrets.ts";
import { end, listRows, rotate } from "./rotation.ts";
import type { SecretStore } from "./secret-store.ts";

const start = Date.parse("2026-01-31T12:00:00Z") / 1000;
const day = 86_400;
const random = () => "0123456789abcdef".repeat(4);
const at = (now: number) => ({ now, maxTokenSeconds: 30 * day, random });

const folder = mkdtempSync(join(tmpdir(), "vicinity-token-secret-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Secrets in files, the first one made by an earlier start. */
function localStore() {
  const stateDir = mkdtempSync(join(folder, "state-"));
  writeFileSync(join(stateDir, "token-secret"), "first".repeat(10), { mode: 0o600 });
  return {
    store: new LocalSecrets(stateDir) as SecretStore,
    variables: () => tokenSecretVariables(stateDir),
    stateDir,
  };
}

/** Secrets in an account behind a fake of wrangler, whose commands print what the real commands print. */
function accountStore() {
  const secrets = new Map([
    ["TOKEN_SECRET", "first".repeat(10)],
    ["OTHER_SECRET", "unrelated"],
  ]);
  const calls: string[] = [];
  const sqlite = new DatabaseSync(":memory:");
  sqlite.exec("CREATE TABLE token_secrets (number integer PRIMARY KEY, signs_from integer NOT NULL)");
  const account = new Account(async (args, input) => {
    calls.push(args.join(" "));
    const [, verb, name] = args;
    if (verb === "list")
      return { code: 0, output: JSON.stringify([...secrets.keys()].map((each) => ({ name: each }))) };
    if (verb === "put") secrets.set(name, input ?? "");
    if (verb === "delete") secrets.delete(name);
    return { code: 0, output: "" };
  });
  const database = commandDatabase(async (sql) => JSON.stringify([{ results: sqlite.prepare(sql).all() }]));
  return {
    store: new AccountSecrets(account, "vicinity-gateway", database) as SecretStore,
    variables: () => Object.fromEntries([...secrets].filter(([name]) => name.startsWith("TOKEN_SECRET"))),
    calls,
  };
}

describe.each([
  ["a local state", localStore],
  ["an account", accountStore],
])("npm run token-secret for %s", (_, create) => {
  it("adds a secret that signs later, keeps the old one as long as tokens live, then ends it", async () => {
    const { store, variables } = create();
    const lines = await rotate(store, at(start));
    expect(lines[0]).toContain("TOKEN_SECRET_2 signs tokens from 2026-01-31T12:05:00.000Z");
    expect(lines.join()).not.toContain(random());
    expect(variables()).toEqual({
      TOKEN_SECRET: "first".repeat(10),
      TOKEN_SECRET_2: `${start + 300}:${random()}`,
    });
    await expect(rotate(store, at(start + 299))).rejects.toThrow("TOKEN_SECRET_2 begins to sign");
    await expect(end(store, at(start + 299), true)).rejects.toThrow("Rotate first");
    await expect(end(store, at(start + 300 + 30 * day - 1), false)).rejects.toThrow(
      "may be valid until 2026-03-02T12:05:00.000Z",
    );
    expect(Object.keys(variables())).toHaveLength(2);
    expect((await end(store, at(start + 300 + 30 * day), false))[0]).toBe("TOKEN_SECRET is deleted.");
    expect(Object.keys(variables())).toEqual(["TOKEN_SECRET_2"]);
    await rotate(store, at(start + 60 * day));
    expect(Object.keys(variables())).toEqual(["TOKEN_SECRET_2", "TOKEN_SECRET_3"]);
  });

  it("ends the tokens of older secrets at once where it is told to, and lists what each does", async () => {
    const { store, variables } = create();
    await rotate(store, at(start));
    expect(await listRows(store, at(start))).toEqual([
      ["TOKEN_SECRET", "-", "signs"],
      ["TOKEN_SECRET_2", "2026-01-31T12:05:00.000Z", "accepts, signs later"],
    ]);
    expect(await listRows(store, at(start + 300))).toEqual([
      ["TOKEN_SECRET", "-", "accepts; may end from 2026-03-02T12:05:00.000Z"],
      ["TOKEN_SECRET_2", "2026-01-31T12:05:00.000Z", "signs"],
    ]);
    await rotate(store, at(start + day));
    await end(store, at(start + day + 300), true);
    expect(Object.keys(variables())).toEqual(["TOKEN_SECRET_3"]);
  });
});

describe("where token secrets are", () => {
  it("is never an argument of wrangler", async () => {
    const { store, calls } = accountStore();
    await rotate(store, at(start));
    expect(calls.join()).toContain("secret put TOKEN_SECRET_2");
    expect(calls.join()).not.toContain(random());
  });

  it("is a first file that a start makes where there is none", () => {
    const stateDir = mkdtempSync(join(folder, "state-"));
    const made = tokenSecretVariables(stateDir);
    expect(Object.keys(made)).toEqual(["TOKEN_SECRET"]);
    expect(tokenSecretVariables(stateDir)).toEqual(made);
  });

  it("is a file of a local state that only its owner may read", async () => {
    const { store, stateDir } = localStore();
    await rotate(store, at(start));
    expect(statSync(join(stateDir, "token-secret-2")).mode & 0o777).toBe(0o600);
  });
});
