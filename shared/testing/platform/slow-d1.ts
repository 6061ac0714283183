import { interceptD1 } from "./intercept-d1.ts";

/** Milliseconds that a call of D1 takes from far away of its primary. */
const farMilliseconds = 200;

/** Databases that are far away, and how often a caller waited for them. */
export interface SlowDatabases {
  databases: D1Database[];
  /**
   * Returns how many calls ran one after another since the last {@link restart}: the longest chain of calls each of which
   * began after the one before had ended. Calls at the same time count once.
   */
  callsInTurn: () => number;
  restart: () => void;
}

/** Returns databases each call of which takes as long as from far away: half of it before its work, half after. */
export function slowD1(databases: readonly D1Database[], milliseconds = farMilliseconds): SlowDatabases {
  let longest = 0;
  /** Length of the longest chain of calls that have ended. */
  let ended = 0;
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds / 2));
  const wait = async <T>(work: () => Promise<T>): Promise<T> => {
    const chain = ended + 1;
    longest = Math.max(longest, chain);
    try {
      await pause();
      const result = await work();
      await pause();
      return result;
    } finally {
      ended = Math.max(ended, chain);
    }
  };
  return {
    databases: databases.map((database) => interceptD1(database, wait)),
    callsInTurn: () => longest,
    restart: () => {
      longest = 0;
      ended = 0;
    },
  };
}
