import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableName, isTable } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { retention } from "../../shared/contracts/retention.ts";
import { root, workers } from "../workers.ts";

const text = readFileSync(join(root, "docs/schema.md"), "utf8");
/** What stands in the first column of a table, or in the second, in backquotes. */
const named = text
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|"));
const inFirst = named.flatMap(([, first = ""]) => [...first.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("docs/schema.md", () => {
  it("lists every table of every database, with its owner", async () => {
    for (const { name, database } of workers) {
      if (database === null) continue;
      const schema: Record<string, unknown> = await import(`../../workers/${name}/schema.ts`);
      for (const table of Object.values(schema)) {
        if (!isTable(table)) continue;
        const listed = named.some(
          ([, first = "", owner = ""]) =>
            first.trim() === `\`${getTableName(table)}\`` && owner.trim().startsWith(`${name} \`DB\``),
        );
        expect(listed, `${name} ${getTableName(table)}`).toBe(true);
      }
    }
  });

  it("lists every table of every Durable Object", () => {
    const files = globSync("durable-objects/**/*.ts", { cwd: root }).filter((file) => !file.includes("test"));
    const tables = files.flatMap((file) =>
      [...read(file).matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(([, table]) => table),
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const table of tables) expect(inFirst).toContain(table);
  });

  it("lists every binding and queue that something is kept in", () => {
    const kept =
      /^\[\[(d1_databases|r2_buckets|kv_namespaces|durable_objects\.bindings|workflows|analytics_engine_datasets|queues\.\w+)\]\]$/;
    let found = 0;
    for (const { config } of workers)
      for (const block of read(config).split(/\n(?=\[)/)) {
        if (!kept.test(block.split("\n")[0])) continue;
        // Of a queue its name says more than a binding: several may send to it.
        const names = [
          ...block.matchAll(/^(?:binding|queue|dead_letter_queue) = "(.+)"$|^name = "([A-Z_]+)"$/gm),
        ];
        for (const [, binding, object] of names) {
          if (block.includes("queue = ") && binding === binding?.toUpperCase()) continue;
          found++;
          expect(text, config).toContain(`\`${binding ?? object}\``);
        }
      }
    expect(found).toBeGreaterThan(15);
  });

  it("names every setting of retention with its default", () => {
    for (const [name, days] of Object.entries(retention.parse({})))
      expect(text).toContain(`\`${name}\` (${days})`);
  });
});
