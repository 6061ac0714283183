/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../model/train/random.ts";
import type { AcceptedInteraction } from "../../../shared/contracts/event.ts";
import { sumTotals } from "../../../shared/contracts/totals.ts";
import { userInput } from "../../../shared/contracts/user.ts";
import { interceptD1 } from "../../../shared/testing/platform/intercept-d1.ts";
import { userRowOf } from "../rows.ts";
import { UserStore } from "../store.ts";
import { readAllInteractions } from "../testing/read-all-interactions.ts";
import { recountAll } from "../testing/recount-all.ts";
import { advanceMoves } from "./bucket-moves.ts";
import { moveBucket } from "./move-bucket.ts";
import { bucketOf, usualBucketCount } from "./user-buckets.ts";
import { UserDatabases } from "./user-databases.ts";

const environment: { DB: D1Database; DB_1: D1Database; MIGRATIONS: D1Migration[]; LONG: boolean } =
  Object.assign({ DB_1: env.DB, MIGRATIONS: [], LONG: false }, env);
/** The long form moves a bucket as large as that of 5 million users. */
const userCount = environment.LONG ? 20_000 : 240;
const kills = 5;
/** Requests of each of the concurrent clients, if the move does not end before. */
const maxRequests = environment.LONG ? 20_000 : 1000;
const application = "moves";
const bucket = 20;
const time = 1_790_000_000;
const noEnd = Number.POSITIVE_INFINITY;
const both = [environment.DB, environment.DB_1];
const store = new UserStore(both, "exact");

beforeAll(async () => {
  for (const database of both) await applyD1Migrations(database, environment.MIGRATIONS);
});

/** Returns ids of users of the bucket. */
function usersOfBucket(count: number, prefix: string): string[] {
  const ids: string[] = [];
  for (let i = 0; ids.length < count; i++)
    if (bucketOf(application, `${prefix}${i}`, usualBucketCount) === bucket) ids.push(`${prefix}${i}`);
  return ids;
}

const generationOf = (userId: string) => ({
  userId,
  pseudonym: Array.from(userId.padEnd(32), (c) => c.charCodeAt(0).toString(16)).join(""),
  generation: 0,
});
const interaction = (eventId: string): AcceptedInteraction => ({
  ...{
    eventId,
    type: "view",
    productId: "p",
    time,
    recommendationId: null,
    location: { lat: 59.91, lon: 10.75 },
  },
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  ...{ first: true, firstPurchase: false, counts: true, networkKey: null, previous: [] },
});
const record = (userIds: readonly string[], eventId: string) =>
  store.recordInteractions(
    application,
    userIds.map((userId) => ({ ...generationOf(userId), interactions: [interaction(eventId)] })),
    time,
  );

/** Returns the ids of users of the bucket in a database, and how many rows it has of them. */
async function contentOf(database: D1Database) {
  const rows = await readAllInteractions(database as never, application);
  const profiles = await database
    .prepare("SELECT user_id AS id FROM users WHERE application = ?1 ORDER BY user_id")
    .bind(application)
    .all<{ id: string }>();
  const visits = await database.prepare("SELECT count(*) AS n FROM user_locations").first<number>("n");
  return {
    events: rows.map(({ userId, eventId }) => `${userId}/${eventId}`),
    profiles: profiles.results.map(({ id }) => id),
    visits,
  };
}

const stateOf = async (database: D1Database, ofBucket = bucket): Promise<string | null> =>
  database.prepare("SELECT state FROM buckets WHERE bucket = ?1").bind(ofBucket).first<string>("state");

/** Returns databases whose calls fail after some calls. With `worksLast`, the last call does its work and then fails. */
function killedAfter(calls: number, worksLast: boolean): D1Database[] {
  let left = calls;
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    left--;
    if (left < 0 || (left === 0 && !worksLast)) throw new Error("killed");
    const result = await work();
    if (left === 0) throw new Error("killed");
    return result;
  };
  return both.map((database) => interceptD1(database, call));
}

describe("a move of a bucket", () => {
  it("loses nothing, doubles nothing and refuses nothing under load, however often it is killed", async () => {
    const random = new Random(3);
    const users = usersOfBucket(userCount, "user-");
    const leaving = users.slice(0, Math.ceil(userCount / 20));
    const staying = users.slice(leaving.length);
    for (let i = 0; i < users.length; i += 2000)
      for (const eventId of ["first", "second"]) await record(users.slice(i, i + 2000), eventId);
    const [source, target] = (await stateOf(environment.DB)) === "owned" ? [0, 1] : [1, 0];
    const events = new Set(users.flatMap((id) => [`${id}/first`, `${id}/second`]));
    const visits = new Set<string>();
    const profiles = new Set(users);

    /** Requests of all kinds, one after another, until the move has ended. Each that is answered must be found later. */
    let isMoving = true;
    let requests = 0;
    let longest = 0;
    const load = async (worker: number): Promise<void> => {
      const fresh = usersOfBucket(environment.LONG ? 2000 : 60, `new-${worker}-`);
      for (let n = 0; isMoving && n < maxRequests; n++) {
        const started = Date.now();
        const userId = staying[Math.floor(random.next() * staying.length)];
        const eventId = `${worker}-${n}`;
        const kind = n % 6;
        if (kind === 0) {
          const { inserted } = await record([userId, userId], eventId);
          expect(inserted).toBe(1);
          events.add(`${userId}/${eventId}`);
        } else if (kind === 1) {
          const visit = { seq: n + 1, lat: 1, lon: 2, time, precision: "exact" as const };
          const seqUser = { ...generationOf(`${userId}`), visits: [{ ...visit, seq: worker * 1e6 + n }] };
          expect(await store.recordLocations(application, [seqUser])).toBe(1);
          visits.add(`${userId}/${worker * 1e6 + n}`);
        } else if (kind === 2) {
          const id = fresh[Math.floor(n / 6) % fresh.length];
          await store.put(userRowOf(application, id, userInput.parse({ attributes: { n } }), time));
          profiles.add(id);
          expect((await store.get(application, id))?.attributes).toEqual({ n });
        } else if (kind === 3) {
          expect(await store.listInteractions(application, userId, 500, null)).toEqual(
            expect.arrayContaining([expect.objectContaining({ eventId: "first" })]),
          );
        } else if (kind === 4) {
          const gone = worker === 0 ? leaving.pop() : undefined;
          if (gone !== undefined) {
            const ended = { ...generationOf(gone), logPseudonym: `${gone}-log`.padEnd(64, "0") };
            await store.erase(application, ended, "erased", 5000, time);
            for (const id of ["first", "second"]) events.delete(`${gone}/${id}`);
            profiles.delete(gone);
          }
        } else {
          // The message of an event comes again.
          expect((await record([userId], "first")).inserted).toBe(0);
        }
        longest = Math.max(longest, Date.now() - started);
        requests++;
      }
    };
    const loads = [0, 1, 2].map(load);

    let runs = 0;
    let killed = 0;
    try {
      for (let isDone = false; !isDone; runs++) {
        const databases =
          killed < kills
            ? killedAfter(4 + Math.floor(random.next() * (environment.LONG ? 120 : 24)), random.next() < 0.5)
            : both;
        try {
          isDone = (await moveBucket(new UserDatabases(databases), bucket, target, noEnd)).done;
        } catch (error) {
          expect(String(error)).toContain("killed");
          killed++;
        }
      }
    } finally {
      isMoving = false;
    }
    await Promise.all(loads);
    console.log(`${requests} requests in ${runs} runs of the mover; the longest waited ${longest} ms`);

    expect(killed).toBe(kills);
    expect([await stateOf(both[source]), await stateOf(both[target])]).toEqual(["gone", "owned"]);
    const [old, now] = [await contentOf(both[source]), await contentOf(both[target])];
    expect(old).toEqual({ events: [], profiles: [], visits: 0 });
    expect(now.events.sort()).toEqual([...events].sort());
    expect(now.profiles.sort()).toEqual([...profiles].sort());
    expect(now.visits).toBe(visits.size);
    // Totals are sums over the databases, and count each user once in the hour.
    const [{ hours }] = await store.hourlyTotals(application, ["p"]);
    expect(sumTotals(hours).view).toBe(users.length);
    await recountAll(store.databases, application);
    const left = new Set([...events].map((key) => key.split("/")[0]));
    expect((await store.lifetimeTotals(application, ["p"]))[0].view).toBe(left.size);
    const triggers = both.map((database) =>
      database.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'trigger'").first<number>("n"),
    );
    expect(await Promise.all(triggers)).toEqual([0, 0]);
  });

  it("lists each user once while two databases have their rows", async () => {
    const databases = new UserDatabases(killedAfter(40, true));
    const owner = (await stateOf(environment.DB)) === "owned" ? 1 : 0;
    await moveBucket(databases, bucket, owner, noEnd).catch(() => null);
    const listed: string[] = [];
    for (;;) {
      const page = await store.list(application, 50, listed.at(-1) ?? null);
      if (page.length === 0) break;
      listed.push(...page.map(({ userId }) => userId));
    }
    expect(listed.length).toBeGreaterThan(200);
    expect(listed).toEqual([...new Set(listed)]);
    await moveBucket(new UserDatabases(both), bucket, owner, noEnd);
    const after = (await store.list(application, listed.length + 1, null)).map(({ userId }) => userId);
    expect(after).toEqual(listed);
  });

  it("refuses writes of a Worker that knows the old place, and what it would read there", async () => {
    const isolate = new UserStore(
      [...both].map((database) => new Proxy(database, proxied)),
      "exact",
    );
    const [userId] = usersOfBucket(1, "late-");
    await isolate.put(userRowOf(application, userId, userInput.parse({}), 1));
    const owner = (await stateOf(environment.DB)) === "owned" ? 1 : 0;
    await moveBucket(new UserDatabases(both), bucket, owner, noEnd);
    // The other store has read its map before the move.
    expect(await isolate.get(application, userId)).not.toBeNull();
    await isolate.patch(application, userId, { precision: "city" }, 2);
    expect((await store.get(application, userId))?.precision).toBe("city");
    expect((await contentOf(both[1 - owner])).profiles).toEqual([]);
  });

  it("ends at another database than it began, if the operator says so", async () => {
    const owner = (await stateOf(environment.DB)) === "owned" ? 0 : 1;
    const before = await contentOf(both[owner]);
    await moveBucket(new UserDatabases(killedAfter(25, true)), bucket, 1 - owner, noEnd).catch(() => null);
    expect(await moveBucket(new UserDatabases(both), bucket, owner, noEnd)).toEqual({
      done: true,
      detail: "done",
    });
    expect(await contentOf(both[owner])).toEqual(before);
  });

  it("is asked for by a row, and tells how far it is", async () => {
    const owner = (await stateOf(environment.DB)) === "owned" ? 0 : 1;
    const names = ["DB", "DB_1"];
    const ask = (of: number, target: string) =>
      environment.DB.prepare("INSERT INTO bucket_moves (bucket, target, requested_at) VALUES (?1, ?2, ?3)")
        .bind(of, target, of)
        .run();
    await ask(bucket, names[1 - owner]);
    await ask(7, "DB_9");
    expect(await advanceMoves(new UserDatabases(both), names, 30, () => Date.now() / 1000)).toEqual({
      done: 1,
      waiting: 1,
    });
    expect(await stateOf(both[1 - owner])).toBe("owned");
    const { results } = await environment.DB.prepare("SELECT detail FROM bucket_moves ORDER BY bucket").all();
    expect(results).toEqual([
      { detail: "waits: the user worker has no binding DB_9; deploy it with this database first" },
      { detail: "done" },
    ]);
  });
});

/** Handler of a proxy that does nothing else: a database of another isolate. */
const proxied: ProxyHandler<D1Database> = {
  get(target, name) {
    const value: unknown = Reflect.get(target, name);
    return typeof value === "function" ? value.bind(target) : value;
  },
};
