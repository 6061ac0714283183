import type { D1Database, KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import { workers } from "../scripts/workers.ts";
import { type ExportItem, exportItem } from "../shared/contracts/export.ts";
import type { Page } from "../shared/contracts/page.ts";
import { unpackLines } from "../shared/training-log/lines.ts";
import { listTablesSql, type TestStack } from "./test-stack.ts";

/** All that the export gives of a person, page by page. */
export async function exportUserData(
  stack: TestStack,
  userId: string,
  key = "dev-admin-key",
): Promise<ExportItem[]> {
  const items: ExportItem[] = [];
  for (let cursor = ""; ; ) {
    const { status, body } = await stack.call<Page<ExportItem>>(
      "GET",
      `/v1/users/${userId}/export?limit=2${cursor}`,
      { key },
    );
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    items.push(...body.items.map((item) => exportItem.parse(item)));
    if (body.nextCursor === undefined) return items;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

/** Every row, key and object of every store of all workers, as text, with where it lies. */
async function readEveryStore(stack: TestStack): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { name: worker, database: owned } of workers) {
    if (owned === null) continue;
    const database: D1Database = await stack.binding(worker, "DB");
    const tables = await database.prepare(listTablesSql).all<{ name: string }>();
    for (const { name } of tables.results) {
      if (name === "cities") continue;
      const { results } = await database.prepare(`SELECT * FROM ${name}`).all();
      found.set(`${worker} ${name}`, JSON.stringify(results));
    }
  }
  const buckets: [string, string][] = [
    ["recommendation", "TRAINING_LOG"],
    ["recommendation", "MODELS"],
    ["product", "IMAGES"],
  ];
  for (const [worker, name] of buckets) {
    const bucket: R2Bucket = await stack.binding(worker, name);
    for (const { key } of (await bucket.list()).objects) {
      const object = await bucket.get(key);
      if (!object) continue;
      const bytes = await object.arrayBuffer();
      const text = key.endsWith(".gz")
        ? JSON.stringify(await unpackLines(bytes))
        : Buffer.from(bytes).toString("latin1");
      found.set(key, text);
    }
  }
  for (const [worker, name] of [
    ["product", "CARDS"],
    ["location", "TILES"],
  ]) {
    const namespace: KVNamespace = await stack.binding(worker, name);
    for (const { name: key } of (await namespace.list()).keys)
      found.set(
        key,
        Buffer.from((await namespace.get(key, "arrayBuffer")) ?? new ArrayBuffer(0)).toString("latin1"),
      );
  }
  return found;
}

/** Where any of these texts is. */
export const findStoresContaining = async (stack: TestStack, texts: string[]): Promise<string[]> =>
  [...(await readEveryStore(stack))].flatMap(([place, held]) =>
    texts.some((text) => held.includes(text) || place.includes(text)) ? [place] : [],
  );

/** Numbers as they lie in memory, in single and double precision: binary objects hold them so. */
const toBinaryText = (numbers: number[]): string[] =>
  numbers.flatMap((number) =>
    [new Float64Array([number]), new Float32Array([number])].map(({ buffer }) =>
      Buffer.from(buffer).toString("latin1"),
    ),
  );

const toSearchableText = (value: unknown): string =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? Buffer.from(
        value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer),
      ).toString("latin1")
    : (JSON.stringify(value) ?? "");

/** Where any of these texts or numbers is: in any store as {@link findStoresContaining}, in Durable Objects, in a line of a log. */
export async function findTraces(stack: TestStack, texts: string[], numbers: number[]): Promise<string[]> {
  const wanted = [...texts, ...toBinaryText(numbers)];
  const held = await readEveryStore(stack);
  for (const [worker, binding] of [
    ["recommendation", "USER_SESSION"],
    ["location", "CELL"],
  ])
    for (const [id, rows] of await stack.durableObjectRows(worker, binding))
      held.set(
        `${binding} ${id}`,
        rows.flatMap((row) => Object.values(row).map(toSearchableText)).join("\n"),
      );
  stack.logLines().forEach((line, i) => {
    held.set(`log ${i}`, line);
  });
  return [...held].flatMap(([place, text]) => (wanted.some((each) => text.includes(each)) ? [place] : []));
}
