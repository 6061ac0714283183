import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import { decodeCursor, encodeCursor, pageOf } from "../../shared/contracts/cursor.ts";
import { acceptedInteraction } from "../../shared/contracts/event.ts";
import { applicationName, generation, identifier, pseudonym } from "../../shared/contracts/primitives.ts";
import { placeVisit } from "../../shared/contracts/queues.ts";
import { ok, parse, type Result, refuse } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retention } from "../../shared/contracts/retention.ts";
import type {
  ErasedRecords,
  Page,
  PageQuery,
  Readiness,
  Tombstone,
  UserApi,
  UserGeneration,
  UserSettings,
  UserVisit,
} from "../../shared/contracts/services.ts";
import type { ProductTotals, Totals } from "../../shared/contracts/totals.ts";
import {
  type User,
  type UserInput,
  type UserInteraction,
  type UserPatch,
  userInput,
  userPatch,
} from "../../shared/contracts/user.ts";
import { databasesOf } from "./database.ts";
import type { UserBatch } from "./interaction-rows.ts";
import { removeExpiredRows } from "./retention.ts";
import { changesOf, interactionOf, rowOf, settingsOf, userOf, visitOf } from "./rows.ts";
import { UserStore, type UserVisits } from "./store.ts";

const userRef = z.object({ application: applicationName, userId: identifier });
const page = z.object({ limit: z.number().int().min(1).max(500), cursor: z.string().optional() });
const life = z.object({ userId: identifier, object: pseudonym, generation });
const putCall = userRef.extend({ input: userInput });
const patchCall = userRef.extend({ patch: userPatch });
const listCall = page.extend({ application: applicationName });
const historyCall = userRef.extend({ query: page });
const historyCursor = z.object({ time: z.number(), eventId: z.string() });
const recordBatch = z.object({
  application: applicationName,
  batch: z.array(life.extend({ interactions: z.array(acceptedInteraction) })).max(5000),
});
const locationBatch = z.object({
  application: applicationName,
  batch: z.array(life.extend({ visits: z.array(placeVisit) })).max(1000),
});
const lifeOfApplication = z.object({ application: applicationName, life });
const pseudonyms = z.object({ application: applicationName, objects: z.array(pseudonym).max(10_000) });
/** Rows of each table that one step of an erasure removes. */
const erasedAtOnce = 5000;
const productList = z.object({ application: applicationName, productIds: z.array(identifier).max(1000) });

const recount = z.object({ application: applicationName, limit: z.number().int().min(1).max(10_000) });

const now = (): number => Date.now() / 1000;

/** People: profiles, consent, interactions, totals, location history. */
export class UserService extends WorkerEntrypoint<UserEnv> implements UserApi {
  get #store(): UserStore {
    return new UserStore(databasesOf(this.env));
  }

  async put(
    application: string,
    userId: string,
    input: UserInput,
  ): Promise<Result<{ user: User; created: boolean; settings: UserSettings }>> {
    const parsed = parse(putCall, { application, userId, input });
    if (!parsed.ok) return parsed;
    const time = now();
    const row = await this.#store.put(rowOf(application, userId, parsed.value.input, time));
    return ok({ user: userOf(row), created: row.createdAt === time, settings: settingsOf(row) });
  }

  async get(application: string, userId: string): Promise<Result<User>> {
    const parsed = parse(userRef, { application, userId });
    if (!parsed.ok) return parsed;
    const row = await this.#store.get(application, userId);
    return row ? ok(userOf(row)) : unknownUser;
  }

  async patch(
    application: string,
    userId: string,
    patch: UserPatch,
  ): Promise<Result<{ user: User; settings: UserSettings }>> {
    const parsed = parse(patchCall, { application, userId, patch });
    if (!parsed.ok) return parsed;
    const row = await this.#store.patch(application, userId, changesOf(parsed.value.patch), now());
    return row ? ok({ user: userOf(row), settings: settingsOf(row) }) : unknownUser;
  }

  async list(application: string, query: PageQuery): Promise<Result<Page<User>>> {
    const parsed = parse(listCall, { application, ...query });
    if (!parsed.ok) return parsed;
    const after = decodeCursor(z.string(), query.cursor);
    if (!after.ok) return after;
    const rows = await this.#store.list(application, query.limit + 1, after.value);
    return ok(pageOf(rows, query.limit, userOf, (row) => row.userId));
  }

  async recordInteractions(
    application: string,
    batch: UserBatch[],
  ): Promise<Result<{ inserted: number; totals: ProductTotals[] }>> {
    const parsed = parse(recordBatch, { application, batch });
    if (!parsed.ok) return parsed;
    return ok(await this.#store.record(application, parsed.value.batch, crypto.randomUUID(), now()));
  }

  async recordLocations(application: string, batch: UserVisits[]): Promise<Result<{ inserted: number }>> {
    const parsed = parse(locationBatch, { application, batch });
    if (!parsed.ok) return parsed;
    return ok({ inserted: await this.#store.recordLocations(application, parsed.value.batch) });
  }

  async history(
    application: string,
    userId: string,
    query: PageQuery,
  ): Promise<Result<Page<UserInteraction>>> {
    const parsed = parse(historyCall, { application, userId, query });
    if (!parsed.ok) return parsed;
    const before = decodeCursor(historyCursor, query.cursor);
    if (!before.ok) return before;
    const rows = await this.#store.history(application, userId, query.limit + 1, before.value);
    return ok(pageOf(rows, query.limit, interactionOf, ({ time, eventId }) => ({ time, eventId })));
  }

  async totals(application: string, productIds: string[]): Promise<Result<Totals[]>> {
    const parsed = parse(productList, { application, productIds });
    return parsed.ok ? ok(await this.#store.totals(application, productIds)) : parsed;
  }

  async absoluteTotals(application: string, productIds: string[]): Promise<Result<ProductTotals[]>> {
    const parsed = parse(productList, { application, productIds });
    return parsed.ok ? ok(await this.#store.absoluteTotals(application, productIds)) : parsed;
  }

  async rebuildTotals(
    application: string,
    position: string | null,
    limit: number,
  ): Promise<Result<{ products: number; next: string | null }>> {
    const parsed = parse(recount, { application, limit });
    if (!parsed.ok) return parsed;
    const databases = databasesOf(this.env).length;
    const start = decodeCursor(
      z.object({
        database: z
          .number()
          .int()
          .min(0)
          .max(databases - 1),
        after: z.string(),
      }),
      position ?? undefined,
    );
    if (!start.ok) return start;
    const { products, next } = await this.#store.recount(
      application,
      start.value ?? { database: 0, after: "" },
      limit,
    );
    return ok({ products, next: next && encodeCursor(next) });
  }

  async settings(application: string, userId: string): Promise<Result<UserSettings | null>> {
    const parsed = parse(userRef, { application, userId });
    if (!parsed.ok) return parsed;
    const row = await this.#store.get(application, userId);
    return ok(row && settingsOf(row));
  }

  async visits(application: string, userId: string, query: PageQuery): Promise<Result<Page<UserVisit>>> {
    const parsed = parse(userRef.extend({ query: page }), { application, userId, query });
    if (!parsed.ok) return parsed;
    const after = decodeCursor(z.number().int(), query.cursor);
    if (!after.ok) return after;
    const rows = await this.#store.visits(application, userId, query.limit + 1, after.value ?? 0);
    return ok(pageOf(rows, query.limit, visitOf, ({ seq }) => seq));
  }

  async erase(application: string, erased: UserGeneration): Promise<Result<ErasedRecords>> {
    const parsed = parse(lifeOfApplication, { application, life: erased });
    return parsed.ok
      ? ok(await this.#store.erase(application, parsed.value.life, erasedAtOnce, now()))
      : parsed;
  }

  async tombstones(application: string, objects: string[]): Promise<Result<Tombstone[]>> {
    const parsed = parse(pseudonyms, { application, objects });
    return parsed.ok ? ok(await this.#store.tombstones(application, objects)) : parsed;
  }

  async retain(input: Retention): Promise<Result<RemovedCounts>> {
    const parsed = parse(retention, input);
    return parsed.ok ? ok(await removeExpiredRows(databasesOf(this.env), parsed.value, now())) : parsed;
  }

  async ready(): Promise<Readiness> {
    try {
      await this.#store.probe();
      return { ready: true, detail: "ready" };
    } catch {
      return { ready: false, detail: "its database is not migrated" };
    }
  }
}

const unknownUser = refuse("not_found", "There is no such person.");
