import { type Columns, decodeColumns } from "../../../model/columns/columns.ts";

/** Returns the newest tile of a cell that KV holds; null if there is none. */
export async function publishedTile(
  tiles: KVNamespace,
  application: string,
  cell: string,
): Promise<Columns | null> {
  const { keys } = await tiles.list({ prefix: `${application}/tile/${cell}/` });
  const newest = keys.map(({ name }) => name).sort((a, b) => versionOf(b) - versionOf(a))[0];
  const stored = newest === undefined ? null : await tiles.get(newest, "arrayBuffer");
  return stored && decodeColumns(stored);
}

const versionOf = (key: string): number => Number(key.slice(key.lastIndexOf("/") + 1));
