import { moveOldInteractions } from "../old-interactions.ts";
import { type BucketMap, loadBucketMap, mapOfOneDatabase } from "./bucket-map.ts";
import { checkReadFence, fenceErrorOf, RefusedByFence, readFence, writeFence } from "./fence.ts";
import { bucketOf, type NumberRange, numbersOf } from "./user-buckets.ts";

/** Where the rows of some users are: a database, and batches that run there only if it has the users' buckets. */
export interface UserPlace {
  database: D1Database;
  /** Returns the numbers that a user of the place may get. */
  numbersOf: (userId: string) => NumberRange;
  /** Returns the bucket of a user of the place. */
  bucketOf: (userId: string) => number;
  /** Runs statements that change rows of the users, in one transaction. */
  write: (statements: D1PreparedStatement[]) => Promise<D1Result<unknown>[]>;
  /** Runs statements that read rows of the users, in one transaction. */
  read: (statements: D1PreparedStatement[]) => Promise<D1Result<unknown>[]>;
}

/** Maps by the first database, so that each isolate reads the map once. They are data only, and shared by all requests. */
const knownMaps = new WeakMap<D1Database, { databases: readonly D1Database[]; map: BucketMap }>();

/** Milliseconds between two tries of a batch while the last changes of a moving bucket are copied. */
const lockedRetryMs = 25;
/** Tries of a batch, after which its error is thrown. Locks end by themselves in less than a second. */
const maxTries = 80;

const nowSeconds = (): number => Date.now() / 1000;

/** The databases of the user worker, of which each has some buckets of users. */
export class UserDatabases {
  readonly all: readonly D1Database[];

  constructor(databases: readonly D1Database[]) {
    this.all = databases;
  }

  /** Returns which database has which bucket, as this isolate knows it; reads it if it does not know it yet. */
  async map(): Promise<BucketMap> {
    const known = knownMaps.get(this.all[0]);
    if (
      known &&
      known.databases.length === this.all.length &&
      known.databases.every((each, i) => each === this.all[i])
    )
      return known.map;
    // Nothing is read for one database: if it has no buckets yet, the first batch is refused.
    return this.all.length === 1 ? this.#remember(mapOfOneDatabase()) : this.reloadMap();
  }

  /** Reads anew which database has which bucket. */
  async reloadMap(): Promise<BucketMap> {
    return this.#remember(await loadBucketMap(this.all));
  }

  #remember(map: BucketMap): BucketMap {
    knownMaps.set(this.all[0], { databases: this.all, map });
    return map;
  }

  /**
   * Runs `work` for the rows of each database, by the user of each row, and returns what it returned. Where the fence
   * refuses a batch, the work is done again for the rows of that database, wherever they are then: it must have the same
   * effect if it is repeated.
   */
  async forEachPlace<R, T>(
    application: string,
    rows: readonly R[],
    userIdOf: (row: R) => string,
    work: (place: UserPlace, rows: R[]) => Promise<T>,
    tries = 0,
  ): Promise<T[]> {
    const map = await this.map();
    const groups = new Map<number, R[]>();
    for (const row of rows) {
      const owner = map.owners[bucketOf(application, userIdOf(row), map.bucketCount)];
      const group = groups.get(owner);
      if (group) group.push(row);
      else groups.set(owner, [row]);
    }
    const parts = await Promise.all(
      [...groups].map(async ([owner, part]) => {
        const userIds = [...new Set(part.map(userIdOf))];
        const place = this.#placeOf(application, this.all[owner], userIds, map);
        try {
          return [await work(place, part)];
        } catch (error) {
          if (!(error instanceof RefusedByFence) || tries >= maxTries) throw error;
          await this.#prepareNextTry(error, application, place, userIds);
          return this.forEachPlace(application, part, userIdOf, work, tries + 1);
        }
      }),
    );
    return parts.flat();
  }

  /** Runs `work` where the rows of a user are; see {@link forEachPlace}. */
  async atPlaceOf<T>(
    application: string,
    userId: string,
    work: (place: UserPlace) => Promise<T>,
  ): Promise<T> {
    const [result] = await this.forEachPlace(application, [userId], (id) => id, work);
    return result;
  }

  async #prepareNextTry(
    { reason }: RefusedByFence,
    application: string,
    { database, numbersOf }: UserPlace,
    userIds: string[],
  ): Promise<void> {
    if (reason === "elsewhere") await this.reloadMap();
    else if (reason === "locked") await new Promise((resolve) => setTimeout(resolve, lockedRetryMs));
    else await moveOldInteractions(database, application, userIds, numbersOf);
  }

  #placeOf(application: string, database: D1Database, userIds: string[], map: BucketMap): UserPlace {
    const bucket = (userId: string): number => bucketOf(application, userId, map.bucketCount);
    const fenced = { application, userIds, buckets: [...new Set(userIds.map(bucket))] };
    return {
      database,
      numbersOf: (userId) => numbersOf(bucket(userId), map.bucketCount),
      bucketOf: bucket,
      write: async (statements) => {
        try {
          const [, ...results] = await database.batch([
            writeFence(database, fenced, nowSeconds()),
            ...statements,
          ]);
          return results;
        } catch (error) {
          throw fenceErrorOf(error);
        }
      },
      read: async (statements) => {
        const [fence, ...results] = await database.batch([readFence(database, fenced), ...statements]);
        checkReadFence(fence);
        return results;
      },
    };
  }
}
