import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const measureSeconds = 2;
/** Bytes per row: about as many as a stored event has. */
const rowBytes = 300;

/**
 * Measures how many events per second SQLite alone stores in a temporary folder below `parent`. Each event is one
 * transaction, synced to disk with the settings that workerd uses for a Durable Object.
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
    while (performance.now() - started < measureSeconds * 1000) insert.run(`event-${count++}`, body);
    return (1000 * count) / (performance.now() - started);
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
