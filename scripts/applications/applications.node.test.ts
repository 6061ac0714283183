import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { hashKey, isWellFormedKey } from "../../workers/gateway/keys/key.ts";
import { commandDatabase, inlineParameters } from "../databases/command-database.ts";
import type { OutputConditions } from "../secrets/secret-output.ts";
import { root } from "../workers.ts";
import { ApplicationKeys } from "./application-keys.ts";
import { parseApplicationsCommand } from "./parse-command.ts";
import { runApplicationsCommand } from "./run-command.ts";

const folder = mkdtempSync(join(tmpdir(), "vicinity-applications-"));
afterAll(() => rmSync(folder, { recursive: true }));
const terminal: OutputConditions = { file: undefined, isTerminal: true, environment: {} };

let sqlite: DatabaseSync;
let commands: string[];
let run: (line: string, conditions?: OutputConditions) => Promise<string[]>;

/** Runs statements in one transaction and prints the results as `wrangler d1 execute --json` does. */
function execute(sql: string): string {
  commands.push(sql);
  sqlite.exec("BEGIN");
  const results = sql.split(";\n").map((statement) => ({ results: sqlite.prepare(statement).all() }));
  sqlite.exec("COMMIT");
  return `Executing on local database\n${JSON.stringify(results)}\n`;
}

beforeEach(() => {
  sqlite = new DatabaseSync(":memory:");
  commands = [];
  const migrations = join(root, "migrations/gateway");
  for (const file of readdirSync(migrations).sort())
    if (file.endsWith(".sql")) sqlite.exec(readFileSync(join(migrations, file), "utf8"));
  const keys = new ApplicationKeys(
    commandDatabase(async (sql) => execute(sql)),
    () => Date.parse("2026-01-31T12:00:00Z") / 1000,
  );
  run = (line, conditions = terminal) =>
    runApplicationsCommand(parseApplicationsCommand(line.split(" ")), keys, conditions);
});

const keyIn = (lines: string[]): string => /vic_\w+/.exec(lines.join("\n"))?.[0] ?? "";
const idsIn = (lines: string[]): string[] => lines.slice(2).map((line) => line.split(" ")[0]);

describe("npm run applications", () => {
  it("creates an application with an admin key, whose hash alone is stored", async () => {
    const key = keyIn(await run("create second-shop"));
    expect(key).toMatch(/^vic_admin_/);
    expect(isWellFormedKey(key)).toBe(true);
    const [row] = sqlite.prepare("SELECT * FROM api_keys").all();
    expect(row).toMatchObject({ application: "second-shop", role: "admin", hash: await hashKey(key) });
    expect(commands.join()).not.toContain(key);
    await expect(run("create second-shop")).rejects.toThrow("already");
    expect((await run("list"))[2]).toMatch(/^second-shop +1 +never$/);
  });

  it("creates, rotates and revokes keys, and lists them without secrets", async () => {
    await run("create shop");
    const server = keyIn(
      await run("keys shop create --role server --scopes people:read,tokens:issue --name it's"),
    );
    expect(server).toMatch(/^vic_server_/);
    expect(keyIn(await run("keys shop create --role publishable"))).toMatch(/^vic_pub_/);
    const list = await run("keys shop");
    expect(list.join("\n")).not.toContain("vic_");
    const line = list.find((each) => each.includes("server"));
    expect(line).toMatch(/it's +people:read tokens:issue +never +works$/);
    const id = line?.split(" ")[0];
    const rotated = keyIn(await run(`keys shop rotate ${id} --overlap-seconds 60`));
    expect(rotated).toMatch(/^vic_server_/);
    await expect(run(`keys shop rotate ${id}`)).rejects.toThrow("rotated before");
    expect((await run("keys shop")).find((each) => each.startsWith(id ?? ""))).toContain(
      "ends 2026-01-31T12:01:00.000Z",
    );
    const successor = idsIn(await run("keys shop")).at(-1);
    await run(`keys shop revoke ${successor}`);
    expect((await run("keys shop")).at(-1)).toContain("revoked 2026-01-31T12:00:00.000Z");
    await expect(run("keys shop revoke unknown")).rejects.toThrow("no key with the id unknown");
    await expect(run("keys nothing")).rejects.toThrow('no application "nothing"');
    await expect(run("keys nothing create --role admin")).rejects.toThrow("applications -- create nothing");
  });

  it("makes no key where a log would keep it, and writes it to a new file there", async () => {
    const pipeline = { ...terminal, isTerminal: false, environment: { CI: "true" } };
    await expect(run("create shop", pipeline)).rejects.toThrow("--key-file FILE");
    expect(sqlite.prepare("SELECT * FROM api_keys").all()).toEqual([]);
    const file = join(folder, "first");
    const lines = await run("create shop", { ...pipeline, file });
    expect(keyIn(lines)).toBe("");
    expect(isWellFormedKey(readFileSync(file, "utf8").trim())).toBe(true);
    const other = { ...pipeline, file: join(folder, "other") };
    await expect(run("keys shop rotate unknown", other)).rejects.toThrow("no key");
    expect(existsSync(other.file)).toBe(false);
  });

  it("refuses what is no command, and wrong options by their name", () => {
    for (const [line, message] of [
      ["keys", "no such command"],
      ["create a b", "no such command"],
      ["keys shop delete id", "no such command"],
      ["create Shop", "must be 1-32 characters"],
      ["keys shop create", "--role"],
      ["keys shop create --role admin --scopes people:read", "--scopes"],
      ["keys shop create --role server --scopes everything", "--scopes.0"],
      ["keys shop rotate id --overlap-seconds week", "--overlapSeconds"],
      ["list --key dev-admin-key", "--key"],
    ])
      expect(() => parseApplicationsCommand(line.split(" ")), line).toThrow(message);
  });
});

describe("inlineParameters", () => {
  it("replaces question marks outside of quotes, and quotes texts", () => {
    expect(inlineParameters(`SELECT "a?" FROM t WHERE b = '?' AND c = ? AND d IS ?`, ["it's", null])).toBe(
      `SELECT "a?" FROM t WHERE b = '?' AND c = 'it''s' AND d IS NULL`,
    );
    expect(inlineParameters("SELECT ?", ["x'; DROP TABLE api_keys; --"])).toBe(
      "SELECT 'x''; DROP TABLE api_keys; --'",
    );
    expect(() => inlineParameters("SELECT ?", [])).toThrow("more question marks");
    expect(() => inlineParameters("SELECT 1", [1])).toThrow("fewer question marks");
    expect(() => inlineParameters("SELECT ?", [Number.NaN])).toThrow("cannot be a parameter");
  });
});
