/** What a Durable Object wrote to its storage and read from it, as Cloudflare bills it. */
export interface RowsWritten {
  /** Rows that SQL statements wrote, including rows of indexes. */
  rows: number;
  /** Calls of `setAlarm`. Each is billed as a row. */
  alarms: number;
  /** Rows that SQL statements read, including those that did not match. */
  read: number;
}

/**
 * Counts the writes and reads through the storage of a Durable Object, from this call until the object leaves memory. Returns a
 * function that returns the counts so far. Call it inside the object (`runInDurableObject`).
 */
export function countRowsWritten(storage: DurableObjectStorage): () => RowsWritten {
  const cursors: { readonly rowsWritten: number; readonly rowsRead: number }[] = [];
  let alarms = 0;
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  Object.defineProperty(sql, "exec", {
    configurable: true,
    value: (...query: Parameters<typeof exec>) => {
      const cursor = exec(...query);
      cursors.push(cursor);
      return cursor;
    },
  });
  Object.defineProperty(storage, "setAlarm", {
    configurable: true,
    value: (...time: Parameters<typeof setAlarm>) => {
      alarms++;
      return setAlarm(...time);
    },
  });
  return () => ({
    rows: cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
    alarms,
    read: cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
  });
}
