import type { D1Database, KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import { workers } from "../../scripts/workers.ts";
import { unpackLines } from "../../shared/training-log/lines.ts";
import { listTablesSql, type TestStack } from "./test-stack.ts";

const buckets = [
  ["recommendation", "TRAINING_LOG"],
  ["recommendation", "DEAD_LETTERS"],
  ["recommendation", "MODELS"],
  ["product", "IMAGES"],
];
const keyValueNamespaces = [
  ["gateway", "KEYS"],
  ["product", "CARDS"],
  ["location", "TILES"],
];
const durableObjectBindings = [
  ["user-session", "USER_SESSION"],
  ["cell", "CELL"],
];

/** Returns bytes as text with one character per byte, so that binary numbers can be searched for. */
const bytesToText = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString("latin1");

/** Returns rows of D1 as text. A column of bytes, which D1 returns as an array of numbers, is text of both forms. */
const rowsToText = (rows: unknown[]): string =>
  JSON.stringify(rows, (_column, value: unknown) =>
    Array.isArray(value) && value.every((byte) => typeof byte === "number")
      ? `${Buffer.from(value).toString("latin1")} ${Buffer.from(value).toString("hex")}`
      : value,
  );

/** Returns the content of D1, R2 and KV as text, by name of the table, object or key. */
async function readStores(stack: TestStack): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const { name: worker, database: databaseName } of workers) {
    if (databaseName === null) continue;
    const database: D1Database = await stack.binding(worker, "DB");
    const tables = await database.prepare(listTablesSql).all<{ name: string }>();
    for (const { name } of tables.results) {
      if (name === "cities") continue;
      const { results } = await database.prepare(`SELECT * FROM ${name}`).all();
      contents.set(`${worker} ${name}`, rowsToText(results));
    }
  }
  for (const [worker, name] of buckets) {
    const bucket: R2Bucket = await stack.binding(worker, name);
    for (const { key } of (await bucket.list()).objects) {
      const object = await bucket.get(key);
      if (!object) continue;
      const bytes = await object.arrayBuffer();
      contents.set(key, key.endsWith(".gz") ? JSON.stringify(await unpackLines(bytes)) : bytesToText(bytes));
    }
  }
  for (const [worker, name] of keyValueNamespaces) {
    const namespace: KVNamespace = await stack.binding(worker, name);
    for (const { name: key } of (await namespace.list()).keys)
      contents.set(key, bytesToText((await namespace.get(key, "arrayBuffer")) ?? new ArrayBuffer(0)));
  }
  return contents;
}

/** Returns the names of the D1 tables, R2 objects and KV keys whose name or content contains one of the texts. */
export const findStoresContaining = async (stack: TestStack, texts: string[]): Promise<string[]> =>
  [...(await readStores(stack))].flatMap(([store, content]) =>
    texts.some((text) => content.includes(text) || store.includes(text)) ? [store] : [],
  );

/** Returns the bytes of numbers in double and in single precision, since binary values contain them in these forms. */
const numberBytes = (numbers: number[]): string[] =>
  numbers.flatMap((number) =>
    [new Float64Array([number]), new Float32Array([number])].map(({ buffer }) => bytesToText(buffer)),
  );

/** Returns the value of a column as text: bytes as one character each, other values as JSON. */
const columnToText = (value: unknown): string =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? Buffer.from(
        value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer),
      ).toString("latin1")
    : (JSON.stringify(value) ?? "");

/**
 * Returns the names of the places whose content contains one of the texts or numbers: D1 tables, R2 objects, KV keys,
 * Durable Objects (`USER_SESSION <id>`) and log lines (`log <index>`).
 */
export async function findTraces(stack: TestStack, texts: string[], numbers: number[]): Promise<string[]> {
  const patterns = [...texts, ...numberBytes(numbers)];
  const contents = await readStores(stack);
  for (const [worker, binding] of durableObjectBindings)
    for (const [id, rows] of await stack.durableObjectRows(worker, binding))
      contents.set(
        `${binding} ${id}`,
        rows.flatMap((row) => Object.values(row).map(columnToText)).join("\n"),
      );
  stack.logLines().forEach((line, i) => {
    contents.set(`log ${i}`, line);
  });
  return [...contents].flatMap(([place, content]) =>
    patterns.some((pattern) => content.includes(pattern)) ? [place] : [],
  );
}
