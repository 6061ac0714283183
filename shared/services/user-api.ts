import type { ConsentLimits } from "../consent/consent-limits.ts";
import type { AcceptedInteraction, StoredType } from "../contracts/event.ts";
import type { Page, PageQuery } from "../contracts/page.ts";
import type { Point, Precision } from "../contracts/primitives.ts";
import type { PlaceVisit } from "../contracts/queues.ts";
import type { Result } from "../contracts/result.ts";
import type { ProductTotals, Totals } from "../contracts/totals.ts";
import type { User, UserInput, UserInteraction, UserPatch } from "../contracts/user.ts";
import type { ReadinessApi, RetentionApi } from "./worker-api.ts";

/**
 * The part of a user's profile that their Durable Object keeps a copy of. `version` grows with each change; the object
 * keeps the newest.
 */
export interface UserSettings {
  home: Point | null;
  /** The consent that was stated; null if none was. */
  precision: Precision | null;
  version: number;
}

/** A user and the generation of their data. Each erasure ends a generation; later data belongs to the next one. */
export interface UserGeneration {
  userId: string;
  /** Id of the user's Durable Object, hexadecimal. */
  pseudonym: string;
  generation: number;
}

/** Why a generation of a user's data ended: it was erased, or it belongs to another user since a merge. */
export type GenerationEnd = "erased" | "merged";

/** A user whose generation ends. */
export interface EndedUser extends UserGeneration {
  /**
   * The user's name in the training log, whose readers ask for tombstones by it. Required for an erased user. Absent for
   * a merged one, whose lines stay.
   */
  logPseudonym?: string;
}

/**
 * Marks a user as erased or merged. Workers drop data of this pseudonym whose generation is at most `generation`. Rows of
 * generations up to `mergedGeneration` are no longer stored under the pseudonym, but what the log has of them stays. A
 * number is -1 if there is no such generation. An erased user has one tombstone by pseudonym and
 * one by their name in the log.
 */
export interface Tombstone {
  pseudonym: string;
  generation: number;
  mergedGeneration: number;
}

/** A stored interaction by the names of its columns. A merge copies columns that are not named here unchanged. */
export interface HistoryRow {
  event_id: string;
  type: StoredType;
  product_id: string;
  /** Seconds since the Unix epoch. */
  time: number;
  lat: number | null;
  lon: number | null;
  recommendation_id: string | null;
  /** 1 for the user's first choice, and the first purchase, of the product. */
  first: number;
  first_purchase: number;
  /** What the event was worth, as `encodeWorth` writes it; absent from workers of the version before. */
  worth?: string | null;
  [column: string]: string | number | null | undefined;
}

/** What the object of a merge's target knows that its database may not hold yet. Lists of event and product ids. */
export interface KnownToTarget {
  /** Events that both users sent with the same content. */
  equal: string[];
  /** Events whose ids name other events of the target. */
  conflicting: string[];
  /** Products that both users chose or purchased, and for which the target counts among the users or buyers. */
  chosen: string[];
  purchased: string[];
}

/** New locations of a user's interactions and visits, at one precision. Null removes a location, or the visit. */
export interface Replacements {
  precision: Precision;
  interactions: { eventId: string; location: Point | null }[];
  visits: { seq: number; location: Point | null }[];
}

/** Number of rows that one step of an erasure removed from D1. `more` is true while rows are left. */
export interface ErasedRecords {
  interactions: number;
  locations: number;
  profiles: number;
  more: boolean;
}

/** A location that a user reported, as the export returns it. */
export interface UserVisit {
  location: Point;
  /** The precision that the user allowed at that time; `location` is stored at it. */
  precision: string;
  timestamp: string;
}

/** What is stored of an event. `time` is in seconds since the Unix epoch. */
export interface StoredEvent {
  userId: string;
  eventId: string;
  type: StoredType;
  productId: string;
  time: number;
  recommendationId: string | null;
  /** What the event was worth, as `encodeWorth` writes it; absent from workers of the version before. */
  worth?: string | null;
}

/** What a call of `advanceMoves` did: how many moves of buckets it finished, and how many are left. */
export interface MovedBuckets {
  done: number;
  waiting: number;
}

/** What `recordInteractions` returns. */
export interface RecordedInteractions {
  inserted: number;
  /** The absolute totals of every product and hour in the batch. */
  totals: ProductTotals[];
  /** Events that do not count for others, because another user of their network has counted. */
  uncounted: { userId: string; eventId: string }[];
}

/** What a rebuild of transitions needs of a stored interaction. `time` is in seconds since the Unix epoch. */
export interface CountedInteraction {
  type: StoredType;
  productId: string;
  time: number;
  /** Whether it counts for others. */
  counts: boolean;
}

/** RPC interface of the user worker: profiles, consent, interactions, totals and location history. */
export interface UserApi extends ReadinessApi, RetentionApi {
  /**
   * Creates or replaces a profile. Returns it, whether it is new, and the settings for the user's Durable Object.
   */
  put(
    application: string,
    userId: string,
    input: UserInput,
  ): Promise<Result<{ user: User; created: boolean; settings: UserSettings }>>;
  /** Returns a profile; refuses with `not_found` if there is none. */
  get(application: string, userId: string): Promise<Result<User>>;
  /** Changes the given fields of a profile; refuses with `not_found` if there is none. */
  patch(
    application: string,
    userId: string,
    patch: UserPatch,
  ): Promise<Result<{ user: User; settings: UserSettings }>>;
  /** Lists profiles by user id, ascending; at most 500 a page. */
  list(application: string, page: PageQuery): Promise<Result<Page<User>>>;
  /**
   * Inserts interactions of at most 5,000 users and adds the inserted rows to the hourly totals, both in one D1
   * transaction. Interactions that exist already (same application, user and event) change nothing. Creates missing
   * profiles.
   * The consumer of queue `interactions` calls it.
   */
  recordInteractions(
    application: string,
    batch: (UserGeneration & { interactions: AcceptedInteraction[] })[],
  ): Promise<Result<RecordedInteractions>>;
  /**
   * Returns those of at most 4,000 events that are stored. An import asks before it stores events, because the users'
   * Durable Objects forget event ids after some days.
   */
  findInteractions(
    application: string,
    events: { userId: string; eventId: string }[],
  ): Promise<Result<StoredEvent[]>>;
  /**
   * Inserts visits of at most 1,000 users; visits that exist already change nothing. The consumer of queue `locations`
   * calls it.
   */
  recordLocations(
    application: string,
    batch: (UserGeneration & { visits: PlaceVisit[] })[],
  ): Promise<Result<{ inserted: number }>>;
  /** Lists a user's interactions, newest first; at most 500 a page. */
  listInteractions(
    application: string,
    userId: string,
    page: PageQuery,
  ): Promise<Result<Page<UserInteraction>>>;
  /** Lists what a rebuild needs of a user's interactions, newest first; at most 500 a page. */
  listCountedInteractions(
    application: string,
    userId: string,
    page: PageQuery,
  ): Promise<Result<Page<CountedInteraction>>>;
  /** Lists a user's visits, oldest first; at most 500 a page. */
  listVisits(application: string, userId: string, page: PageQuery): Promise<Result<Page<UserVisit>>>;
  /** Returns the settings for the user's Durable Object, which calls it; null without a profile. */
  getSettings(application: string, userId: string): Promise<Result<UserSettings | null>>;
  /** Returns the lifetime totals of at most 1,000 products, in the order of the ids; zeros for an unknown product. */
  lifetimeTotals(application: string, productIds: string[]): Promise<Result<Totals[]>>;
  /**
   * Returns the absolute totals of all hours of at most 1,000 products, in the order of the ids. A cell that has no
   * counts of a product needs them.
   */
  hourlyTotals(application: string, productIds: string[]): Promise<Result<ProductTotals[]>>;
  /**
   * Recounts the totals of the next `limit` products (at most 10,000, by id) from the interactions, in one transaction.
   * `position` is the `next` of the previous call, null for the first call. The last call returns `next: null`.
   */
  rebuildTotals(
    application: string,
    position: string | null,
    limit: number,
  ): Promise<Result<{ products: number; next: string | null }>>;
  /**
   * Stores the tombstone of a user, and removes up to 5,000 rows of each table. From then on `recordInteractions` and
   * `recordLocations` drop the erased generation. The user's Durable Object calls it until `more` is false, before it
   * begins the next generation. For a merged user (`end`), rows are removed after they were copied to the other user.
   */
  eraseRecords(application: string, user: EndedUser, end?: GenerationEnd): Promise<Result<ErasedRecords>>;
  /** Stores that a user is merged: from then on, no row of this generation is inserted. */
  closeMergedGeneration(application: string, user: UserGeneration): Promise<Result<null>>;
  /** Returns at most 1,000 interactions of a user after event id `after`, by event id. */
  readHistory(
    application: string,
    userId: string,
    after: string,
    limit: number,
  ): Promise<Result<HistoryRow[]>>;
  /**
   * Inserts at most 1,000 interactions of the merged user `from` into the history of `into`, each once, however often it
   * is called. Changes no totals. Inserts nothing if `into` was erased. Returns the number of rows that were inserted.
   */
  insertHistory(
    application: string,
    into: UserGeneration,
    from: UserGeneration,
    rows: HistoryRow[],
    known: KnownToTarget,
  ): Promise<Result<{ inserted: number }>>;
  /** Returns at most 1,000 visits of a user after number `after`, in the order in which they were reported. */
  readVisits(
    application: string,
    userId: string,
    after: number,
    limit: number,
  ): Promise<Result<PlaceVisit[]>>;
  /**
   * Gives home, consent and attributes of a merged user to `into`, unless `into` has stated its own or was erased.
   * Returns the settings of `into`; null if it has no profile.
   */
  adoptProfile(
    application: string,
    fromUserId: string,
    into: UserGeneration,
  ): Promise<Result<UserSettings | null>>;
  /** Returns what the consent of those users (at most 10,000) that have a profile allows to store. */
  findConsentLimits(application: string, userIds: string[]): Promise<Result<ConsentLimits[]>>;
  /** Replaces at most 1,000 locations of a user after their consent was lowered. Returns the number of changed rows. */
  replaceLocations(
    application: string,
    userId: string,
    replacements: Replacements,
  ): Promise<Result<{ changed: number }>>;
  /** Returns the tombstones of those pseudonyms (at most 10,000) that have one. */
  findTombstones(application: string, pseudonyms: string[]): Promise<Result<Tombstone[]>>;
  /**
   * Continues the moves of buckets between the databases of users, for less than a minute. The gateway's cron calls it each
   * minute; a move that was interrupted goes on then.
   */
  advanceMoves(): Promise<Result<MovedBuckets>>;
}
