import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableName, isTable } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { retention } from "../../shared/contracts/retention.ts";
import { root, workers } from "../workers.ts";

const documentText = readFileSync(join(root, "docs/schema.md"), "utf8");
/** Rows of the document's tables, split into cells. The first cell is empty, as each row begins with `|`. */
const tableRows = documentText
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|"));
/** Names in backquotes in the first column. */
const namesInFirstColumn = tableRows.flatMap(([, first = ""]) =>
  [...first.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
);
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("docs/schema.md", () => {
  it("lists every database table with its owner", async () => {
    for (const { name, database } of workers) {
      if (database === null) continue;
      const schema: Record<string, unknown> = await import(`../../workers/${name}/schema.ts`);
      for (const table of Object.values(schema)) {
        if (!isTable(table)) continue;
        const listed = tableRows.some(
          ([, first = "", owner = ""]) =>
            first.trim() === `\`${getTableName(table)}\`` && owner.trim().startsWith(`${name} \`DB\``),
        );
        expect(listed, `${name} ${getTableName(table)}`).toBe(true);
      }
    }
  });

  it("lists every Durable Object table", () => {
    const files = globSync("durable-objects/**/*.ts", { cwd: root }).filter((file) => !file.includes("test"));
    const tables = files.flatMap((file) =>
      [...read(file).matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(([, table]) => table),
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const table of tables) expect(namesInFirstColumn).toContain(table);
  });

  it("lists every binding and queue that stores data", () => {
    const storageBlock =
      /^\[\[(d1_databases|r2_buckets|kv_namespaces|durable_objects\.bindings|workflows|analytics_engine_datasets|queues\.\w+)\]\]$/;
    let found = 0;
    for (const { config } of workers)
      for (const block of read(config).split(/\n(?=\[)/)) {
        if (!storageBlock.test(block.split("\n")[0])) continue;
        // Expect a queue's name instead of its bindings, since several workers send to the same queue.
        const names = [
          ...block.matchAll(/^(?:binding|queue|dead_letter_queue) = "(.+)"$|^name = "([A-Z_]+)"$/gm),
        ];
        for (const [, binding, object] of names) {
          if (block.includes("queue = ") && binding === binding?.toUpperCase()) continue;
          found++;
          expect(documentText, config).toContain(`\`${binding ?? object}\``);
        }
      }
    expect(found).toBeGreaterThan(15);
  });

  it("lists every retention setting with its default", () => {
    for (const [name, days] of Object.entries(retention.parse({})))
      expect(documentText).toContain(`\`${name}\` (${days})`);
  });
});
