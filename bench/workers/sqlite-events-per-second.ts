import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const seconds = 2;
/** Bytes of a row: about those of a stored event. */
const rowBytes = 300;

/**
 * Events a second that SQLite keeps in a folder of its own below `parent`, each in a transaction that is synced as
 * workerd syncs those of an object, with nothing around it.
 */
export function sqliteEventsPerSecond(parent: string): number {
  const folder = mkdtempSync(join(parent, "sqlite-limit-"));
  const database = new DatabaseSync(join(folder, "events.sqlite"));
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID",
    );
    const insert = database.prepare("INSERT INTO events VALUES (?, ?)");
    const body = "x".repeat(rowBytes);
    const started = performance.now();
    let count = 0;
    while (performance.now() - started < seconds * 1000) insert.run(`event-${count++}`, body);
    return (1000 * count) / (performance.now() - started);
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
