import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import type { ConsentLimits } from "../../shared/consent/consent-limits.ts";
import { defaultConsentOf } from "../../shared/consent/default-consent.ts";
import { decodeCursor, encodeCursor, toPage } from "../../shared/contracts/cursor.ts";
import type { Page, PageQuery } from "../../shared/contracts/page.ts";
import { type PlaceVisit, placeVisit } from "../../shared/contracts/queues.ts";
import { ok, parse, type Result, refuse } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retention } from "../../shared/contracts/retention.ts";
import type { ProductTotals, Totals } from "../../shared/contracts/totals.ts";
import type { User, UserInput, UserInteraction, UserPatch } from "../../shared/contracts/user.ts";
import type {
  CountedInteraction,
  EndedUser,
  ErasedRecords,
  GenerationEnd,
  HistoryRow,
  KnownToTarget,
  MovedBuckets,
  RecordedInteractions,
  Replacements,
  StoredEvent,
  Tombstone,
  UserApi,
  UserGeneration,
  UserSettings,
  UserVisit,
} from "../../shared/services/user-api.ts";
import type { Readiness } from "../../shared/services/worker-api.ts";
import { advanceMoves } from "./buckets/bucket-moves.ts";
import type { UserDatabases } from "./buckets/user-databases.ts";
import { readConsentLimits, replaceLocations } from "./consent.ts";
import { userDatabaseNames, userDatabases } from "./database.ts";
import type { UserInteractionBatch, UserVisitBatch } from "./interaction-rows.ts";
import {
  adoptProfile,
  closeMergedGeneration,
  insertHistory,
  readHistory,
  readStatedProfile,
} from "./merge-users.ts";
import { recountPosition, recountStep } from "./recount.ts";
import { removeExpiredInSteps } from "./retention.ts";
import {
  countedInteractionOf,
  userInteractionOf,
  userOf,
  userRowChangesOf,
  userRowOf,
  userSettingsOf,
  userVisitOf,
} from "./rows.ts";
import {
  adoptCall,
  consentLimitsCall,
  eraseCall,
  findInteractionsCall,
  insertHistoryCall,
  interactionPosition,
  listCall,
  listInteractionsCall,
  maxErasedRowsPerStep,
  mergedCall,
  pageInput,
  patchCall,
  putCall,
  readHistoryCall,
  readVisitsCall,
  rebuildTotalsCall,
  recordInteractionsCall,
  recordLocationsCall,
  replaceLocationsCall,
  tombstonesCall,
  totalsCall,
  userCall,
} from "./rpc-inputs.ts";
import { type UserRow, UserStore } from "./store.ts";
import type { InteractionRow } from "./stored-interaction.ts";

const now = (): number => Date.now() / 1000;

/** Seconds for which one call moves buckets: less than the minute after which the next call comes. */
const movingSeconds = 40;

/** RPC entry point of the user worker. Parses the input and delegates to {@link UserStore}; see {@link UserApi}. */
export class UserService extends WorkerEntrypoint<UserEnv> implements UserApi {
  get #store(): UserStore {
    return new UserStore(userDatabases(this.env), defaultConsentOf(this.env));
  }

  get #databases(): UserDatabases {
    return this.#store.databases;
  }

  #userOf = (row: UserRow): User => userOf(row, defaultConsentOf(this.env));

  async put(
    application: string,
    userId: string,
    input: UserInput,
  ): Promise<Result<{ user: User; created: boolean; settings: UserSettings }>> {
    const parsed = parse(putCall, { application, userId, input });
    if (!parsed.ok) return parsed;
    const time = now();
    const row = await this.#store.put(userRowOf(application, userId, parsed.value.input, time));
    return ok({ user: this.#userOf(row), created: row.createdAt === time, settings: userSettingsOf(row) });
  }

  async get(application: string, userId: string): Promise<Result<User>> {
    const parsed = parse(userCall, { application, userId });
    if (!parsed.ok) return parsed;
    const row = await this.#store.get(application, userId);
    return row ? ok(this.#userOf(row)) : unknownUser;
  }

  async patch(
    application: string,
    userId: string,
    patch: UserPatch,
  ): Promise<Result<{ user: User; settings: UserSettings }>> {
    const parsed = parse(patchCall, { application, userId, patch });
    if (!parsed.ok) return parsed;
    const row = await this.#store.patch(application, userId, userRowChangesOf(parsed.value.patch), now());
    return row ? ok({ user: this.#userOf(row), settings: userSettingsOf(row) }) : unknownUser;
  }

  async list(application: string, query: PageQuery): Promise<Result<Page<User>>> {
    const parsed = parse(listCall, { application, ...query });
    if (!parsed.ok) return parsed;
    const after = decodeCursor(z.string(), query.cursor);
    if (!after.ok) return after;
    const rows = await this.#store.list(application, query.limit + 1, after.value);
    return ok(toPage(rows, query.limit, this.#userOf, (row) => row.userId));
  }

  async recordInteractions(
    application: string,
    batch: UserInteractionBatch[],
  ): Promise<Result<RecordedInteractions>> {
    const parsed = parse(recordInteractionsCall, { application, batch });
    if (!parsed.ok) return parsed;
    return ok(await this.#store.recordInteractions(application, parsed.value.batch, now()));
  }

  async findInteractions(
    application: string,
    events: { userId: string; eventId: string }[],
  ): Promise<Result<StoredEvent[]>> {
    const parsed = parse(findInteractionsCall, { application, events });
    return parsed.ok ? ok(await this.#store.findInteractions(application, parsed.value.events)) : parsed;
  }

  async recordLocations(application: string, batch: UserVisitBatch[]): Promise<Result<{ inserted: number }>> {
    const parsed = parse(recordLocationsCall, { application, batch });
    if (!parsed.ok) return parsed;
    return ok({ inserted: await this.#store.recordLocations(application, parsed.value.batch) });
  }

  listInteractions(
    application: string,
    userId: string,
    query: PageQuery,
  ): Promise<Result<Page<UserInteraction>>> {
    return this.#interactionPage(application, userId, query, userInteractionOf);
  }

  listCountedInteractions(
    application: string,
    userId: string,
    query: PageQuery,
  ): Promise<Result<Page<CountedInteraction>>> {
    return this.#interactionPage(application, userId, query, countedInteractionOf);
  }

  /** Returns a page of a user's interactions, newest first, each as `itemOf` returns it. */
  async #interactionPage<T>(
    application: string,
    userId: string,
    query: PageQuery,
    itemOf: (row: InteractionRow) => T,
  ): Promise<Result<Page<T>>> {
    const parsed = parse(listInteractionsCall, { application, userId, query });
    if (!parsed.ok) return parsed;
    const before = decodeCursor(interactionPosition, query.cursor);
    if (!before.ok) return before;
    const rows = await this.#store.listInteractions(application, userId, query.limit + 1, before.value);
    return ok(toPage(rows, query.limit, itemOf, ({ time, eventId }) => ({ time, eventId })));
  }

  async lifetimeTotals(application: string, productIds: string[]): Promise<Result<Totals[]>> {
    const parsed = parse(totalsCall, { application, productIds });
    return parsed.ok ? ok(await this.#store.lifetimeTotals(application, productIds)) : parsed;
  }

  async hourlyTotals(application: string, productIds: string[]): Promise<Result<ProductTotals[]>> {
    const parsed = parse(totalsCall, { application, productIds });
    return parsed.ok ? ok(await this.#store.hourlyTotals(application, productIds)) : parsed;
  }

  async rebuildTotals(
    application: string,
    position: string | null,
    limit: number,
  ): Promise<Result<{ products: number; next: string | null }>> {
    const parsed = parse(rebuildTotalsCall, { application, limit });
    if (!parsed.ok) return parsed;
    const start = decodeCursor(recountPosition, position ?? undefined);
    if (!start.ok) return start;
    const { products, next } = await recountStep(this.#store.databases, application, start.value, limit);
    return ok({ products, next: next && encodeCursor(next) });
  }

  async getSettings(application: string, userId: string): Promise<Result<UserSettings | null>> {
    const parsed = parse(userCall, { application, userId });
    if (!parsed.ok) return parsed;
    const row = await this.#store.get(application, userId);
    return ok(row && userSettingsOf(row));
  }

  async listVisits(application: string, userId: string, query: PageQuery): Promise<Result<Page<UserVisit>>> {
    const parsed = parse(userCall.extend({ query: pageInput }), { application, userId, query });
    if (!parsed.ok) return parsed;
    const after = decodeCursor(z.number().int(), query.cursor);
    if (!after.ok) return after;
    const rows = await this.#store.listVisits(application, userId, query.limit + 1, after.value ?? 0);
    return ok(toPage(rows, query.limit, userVisitOf, ({ seq }) => seq));
  }

  async eraseRecords(
    application: string,
    user: EndedUser,
    end: GenerationEnd = "erased",
  ): Promise<Result<ErasedRecords>> {
    const parsed = parse(eraseCall, { application, user, end });
    return parsed.ok
      ? ok(await this.#store.erase(application, parsed.value.user, end, maxErasedRowsPerStep, now()))
      : parsed;
  }

  async closeMergedGeneration(application: string, user: UserGeneration): Promise<Result<null>> {
    const parsed = parse(mergedCall, { application, user });
    if (!parsed.ok) return parsed;
    await this.#databases.atPlaceOf(application, user.userId, (place) =>
      closeMergedGeneration(place, application, user, now()),
    );
    return ok(null);
  }

  async readHistory(
    application: string,
    userId: string,
    after: string,
    limit: number,
  ): Promise<Result<HistoryRow[]>> {
    const parsed = parse(readHistoryCall, { application, userId, after, limit });
    if (!parsed.ok) return parsed;
    const rows = await this.#databases.atPlaceOf(application, userId, (place) =>
      readHistory(place, application, userId, after, limit),
    );
    return ok(rows);
  }

  async insertHistory(
    application: string,
    into: UserGeneration,
    from: UserGeneration,
    rows: HistoryRow[],
    known: KnownToTarget,
  ): Promise<Result<{ inserted: number }>> {
    const parsed = parse(insertHistoryCall, { application, into, from, rows, known });
    if (!parsed.ok) return parsed;
    const transfer = { application, into, from, known };
    const inserted = await this.#databases.atPlaceOf(application, into.userId, (place) =>
      insertHistory(place, rows, transfer, now()),
    );
    return ok({ inserted });
  }

  async readVisits(
    application: string,
    userId: string,
    after: number,
    limit: number,
  ): Promise<Result<PlaceVisit[]>> {
    const parsed = parse(readVisitsCall, { application, userId, after, limit });
    if (!parsed.ok) return parsed;
    const rows = await this.#store.listVisits(application, userId, limit, after);
    return ok(rows.map((row) => placeVisit.parse(row)));
  }

  async adoptProfile(
    application: string,
    fromUserId: string,
    into: UserGeneration,
  ): Promise<Result<UserSettings | null>> {
    const parsed = parse(adoptCall, { application, fromUserId, into });
    if (!parsed.ok) return parsed;
    const stated = await this.#databases.atPlaceOf(application, fromUserId, (place) =>
      readStatedProfile(place, application, fromUserId),
    );
    if (stated)
      await this.#databases.atPlaceOf(application, into.userId, (place) =>
        adoptProfile(place, application, stated, into, now()),
      );
    return this.getSettings(application, into.userId);
  }

  async findConsentLimits(application: string, userIds: string[]): Promise<Result<ConsentLimits[]>> {
    const parsed = parse(consentLimitsCall, { application, userIds });
    if (!parsed.ok) return parsed;
    const defaultConsent = defaultConsentOf(this.env);
    const lists = await this.#databases.forEachPlace(
      application,
      userIds,
      (userId) => userId,
      (place, part) => readConsentLimits(place, application, part, defaultConsent),
    );
    return ok(lists.flat());
  }

  async replaceLocations(
    application: string,
    userId: string,
    replacements: Replacements,
  ): Promise<Result<{ changed: number }>> {
    const parsed = parse(replaceLocationsCall, { application, userId, replacements });
    if (!parsed.ok) return parsed;
    const changed = await this.#databases.atPlaceOf(application, userId, (place) =>
      replaceLocations(place, application, userId, replacements),
    );
    return ok({ changed });
  }

  async findTombstones(application: string, pseudonyms: string[]): Promise<Result<Tombstone[]>> {
    const parsed = parse(tombstonesCall, { application, pseudonyms });
    return parsed.ok ? ok(await this.#store.findTombstones(application, pseudonyms)) : parsed;
  }

  /** Removes what has expired of all applications, by time. */
  async applyRetention(input: Retention): Promise<Result<RemovedCounts>> {
    const parsed = parse(retention, input);
    return parsed.ok ? ok(await removeExpiredInSteps(userDatabases(this.env), parsed.value, now())) : parsed;
  }

  async advanceMoves(): Promise<Result<MovedBuckets>> {
    return ok(await advanceMoves(this.#databases, userDatabaseNames(this.env), movingSeconds, now));
  }

  async ready(): Promise<Readiness> {
    try {
      await this.#store.probe();
      return { ready: true, detail: "ready" };
    } catch {
      return { ready: false, detail: "the user database cannot be read: apply migrations/user" };
    }
  }
}

const unknownUser = refuse("not_found", "There is no user with this id.");
