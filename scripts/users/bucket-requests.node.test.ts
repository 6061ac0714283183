import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { commandDatabase } from "../databases/command-database.ts";
import { root } from "../workers.ts";
import { parseUsersCommand, runUsersCommand } from "./bucket-requests.ts";

const migrations = join(root, "migrations/user");

/** Returns a database that runs SQL as `wrangler d1 execute --json` does, on a new file in memory. */
function migratedDatabase() {
  const sqlite = new DatabaseSync(":memory:");
  for (const file of readdirSync(migrations)
    .filter((name) => name.endsWith(".sql"))
    .sort())
    sqlite.exec(readFileSync(join(migrations, file), "utf8").replaceAll("--> statement-breakpoint", ""));
  return commandDatabase(async (sql) => JSON.stringify([{ results: sqlite.prepare(sql).all() }]));
}

it("npm run users asks for moves, again for another database, and lists them", async () => {
  const database = migratedDatabase();
  const run = (...args: string[]) => runUsersCommand(parseUsersCommand(args), database, 1_790_000_000);
  expect(await run("list")).toEqual(["No move of a bucket was asked for."]);
  const moves = (lines: string[]) =>
    lines.filter((line) => /^\d/.test(line)).map((line) => line.trim().split(/ +/).slice(0, 3));
  expect(moves(await run("move", "3-5", "DB_1"))).toEqual(
    ["3", "4", "5"].map((bucket) => [bucket, "DB_1", "waits"]),
  );
  await database
    .prepare("UPDATE bucket_moves SET detail = 'done', done_at = 1790000100 WHERE bucket = 3")
    .run();
  expect(moves(await run("move", "4", "DB"))).toEqual([
    ["4", "DB", "waits"],
    ["5", "DB_1", "waits"],
    ["3", "DB_1", "done"],
  ]);
});

it("npm run users refuses what is no command, with the reason", () => {
  expect(() => parseUsersCommand([])).toThrow("There is no such command.");
  expect(() => parseUsersCommand(["move", "17"])).toThrow("There is no such command.");
  expect(() => parseUsersCommand(["move", "x", "DB"])).toThrow('"x" is no bucket');
  expect(() => parseUsersCommand(["move", "9-3", "DB"])).toThrow("wrong order");
  expect(() => parseUsersCommand(["move", "9", "users"])).toThrow('"users" is no binding');
});
