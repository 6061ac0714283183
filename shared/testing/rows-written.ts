/** What an object's storage was asked to write, as the platform bills it. */
export interface RowsWritten {
  /** Rows that statements wrote, those of indices too. */
  rows: number;
  /** Alarms that were set: each is billed as a row. */
  alarms: number;
}

/**
 * Counts what is written from now on through the storage of an object. It goes on until the object leaves memory; call it
 * within the object (`runInDurableObject`).
 */
export function countRowsWritten(storage: DurableObjectStorage): () => RowsWritten {
  const cursors: { readonly rowsWritten: number }[] = [];
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
  return () => ({ rows: cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0), alarms });
}
