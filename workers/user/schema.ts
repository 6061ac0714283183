import { sql } from "drizzle-orm";
import {
  blob,
  check,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { Attributes } from "../../shared/contracts/attributes.ts";
import { precisions } from "../../shared/contracts/primitives.ts";

/** User profiles: home, consent and attributes. */
export const users = sqliteTable(
  "users",
  {
    application: text("application").notNull(),
    userId: text("user_id").notNull(),
    homeLat: real("home_lat"),
    homeLon: real("home_lon"),
    /** The consent that was stated; null if none was, so that `DEFAULT_CONSENT` counts. */
    precision: text("precision", { enum: precisions }),
    attributes: text("attributes", { mode: "json" }).$type<Attributes>().notNull(),
    /** Grows with each change of the profile. The user's Durable Object keeps the newest settings. */
    settingsVersion: integer("settings_version").notNull(),
    /** Seconds since the Unix epoch. */
    createdAt: real("created_at").notNull(),
    updatedAt: real("updated_at").notNull(),
    /**
     * Settings versions: what was collected before such a version may be stored at most at that level, because the
     * user's consent was lowered to it.
     */
    approximateBefore: integer("approximate_before").notNull().default(0),
    cityBefore: integer("city_before").notNull().default(0),
    noneBefore: integer("none_before").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.application, table.userId] })],
);

/** Locations that users reported, at the precision that they allowed. */
export const userLocations = sqliteTable(
  "user_locations",
  {
    application: text("application").notNull(),
    userId: text("user_id").notNull(),
    /** Number of the visit in the user's outbox, so that a repeated message changes nothing. */
    seq: integer("seq").notNull(),
    lat: real("lat").notNull(),
    lon: real("lon").notNull(),
    precision: text("precision").notNull(),
    /** Seconds since the Unix epoch. */
    time: real("time").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.userId, table.seq] })],
);

/**
 * The number of each user who has rows, by which interactions name them. Numbers of a bucket lie together (see
 * `buckets/user-buckets.ts`), and stay when the bucket moves to another database.
 */
export const userNumbers = sqliteTable(
  "user_numbers",
  {
    number: integer("number").primaryKey(),
    application: text("application").notNull(),
    userId: text("user_id").notNull(),
  },
  (table) => [uniqueIndex("user_numbers_by_user").on(table.application, table.userId)],
);

/**
 * Interactions of users within the retention time: the source of truth, from which totals and transitions can be
 * rebuilt. `compact-columns.ts` describes the columns.
 */
export const recentInteractions = sqliteTable(
  "recent_interactions",
  {
    /** Number of the user in `user_numbers`. */
    user: integer("user").notNull(),
    /** Event id: text, or the bytes of a UUID, of hexadecimal digits or of base64url. So are the other ids. */
    id: blob("id").notNull(),
    /** Milliseconds since the Unix epoch. */
    time: integer("time").notNull(),
    /** Type, whether it is the user's first choice or purchase of the product, and whether it counts for others. */
    marks: integer("marks").notNull(),
    product: blob("product").notNull(),
    /** Ten millionths of a degree; a real number in degrees where that loses digits. */
    lat: blob("lat"),
    lon: blob("lon"),
    recommendation: blob("recommendation"),
    /** A hash of the merged user and generation from whom the row was copied; null for the user's own. */
    copiedFrom: integer("copied_from"),
    /** Value in minor units, currency and quantity, separated by spaces; null if the event says none of them. */
    worth: text("worth"),
  },
  (table) => [
    primaryKey({ columns: [table.user, table.id] }),
    index("recent_interactions_by_time").on(table.user, table.time, table.id),
  ],
);

/**
 * Interactions that earlier versions stored. They move to `recent_interactions` when their user is read or written, and
 * page by page (`old-interactions.ts`). Nothing is inserted here.
 */
export const interactions = sqliteTable(
  "interactions",
  {
    application: text("application").notNull(),
    userId: text("user_id").notNull(),
    eventId: text("event_id").notNull(),
    type: text("type", { enum: ["view", "click", "cart", "purchase", "dismiss"] }).notNull(),
    productId: text("product_id").notNull(),
    /** Seconds since the Unix epoch. */
    time: real("time").notNull(),
    lat: real("lat"),
    lon: real("lon"),
    recommendationId: text("recommendation_id"),
    /** 1 for the user's first choice of the product. The totals count users by it. */
    first: integer("first").notNull(),
    /** Id of the call that inserted the row, so that the totals count exactly the inserted rows. */
    batch: text("batch").notNull(),
    /** 1 for the user's first purchase of the product. The totals count buyers by it. */
    firstPurchase: integer("first_purchase").notNull().default(0),
    /** 1 for a row that counts in the lists of others. Totals and transitions count these rows only. */
    counts: integer("counts").notNull().default(1),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.userId, table.eventId] }),
    index("interactions_newest").on(table.application, table.userId, table.time, table.eventId),
  ],
);

/**
 * Counts of a product's interactions that count, by UTC hour: of each type, a user counts once in an hour. Old hours are
 * added up by hour of the week, in hours 0 to 167.
 */
export const interactionTotals = sqliteTable(
  "interaction_totals",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    /** Whole hours since the Unix epoch. */
    hour: integer("hour").notNull(),
    view: integer("view").notNull(),
    click: integer("click").notNull(),
    cart: integer("cart").notNull(),
    purchase: integer("purchase").notNull(),
    dismiss: integer("dismiss").notNull(),
    people: integer("people").notNull(),
    buyers: integer("buyers").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.application, table.productId, table.hour] })],
);

/**
 * Networks whose users nobody vouches for, and for which one of them has counted: once by product, type and day. A row
 * names neither: its key is a hash of the network, the product and the type. Rows are deleted after some days.
 */
export const networkCounts = sqliteTable(
  "network_counts",
  {
    /** Whole days since the Unix epoch. First in the key, by which old rows are found. */
    day: integer("day").notNull(),
    application: text("application").notNull(),
    key: integer("key").notNull(),
  },
  (table) => [primaryKey({ columns: [table.day, table.application, table.key] })],
);

/**
 * Tombstones of users that were erased or merged into another, by pseudonym. Late rows of such a generation are dropped.
 */
export const erasures = sqliteTable(
  "erasures",
  {
    application: text("application").notNull(),
    /** The user's pseudonym. */
    pseudonym: text("pseudonym").notNull(),
    /** The last erased generation; all earlier ones are erased too. -1 if none was erased. */
    generation: integer("generation").notNull().default(0),
    /** The last generation that was merged into another user, who keeps its data; -1 if none was. */
    mergedGeneration: integer("merged_generation").notNull().default(-1),
    /** Seconds since the Unix epoch. */
    erasedAt: real("erased_at").notNull(),
    /** Bucket of the user; null in rows of earlier versions, which every move copies. */
    bucket: integer("bucket"),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.pseudonym] }),
    index("erasures_by_time").on(table.erasedAt),
  ],
);

/**
 * Buckets of users that this database holds, receives or held. All writes of a user check the state of their bucket in
 * their own transaction.
 */
export const buckets = sqliteTable("buckets", {
  bucket: integer("bucket").primaryKey(),
  /** `owned`; `leaving`: owned, and copied elsewhere; `arriving`: a copy that is not used yet; `gone`: another owns it. */
  state: text("state", { enum: ["owned", "leaving", "arriving", "gone"] }).notNull(),
  /** Id of the last move of the bucket from or to this database; null if it never moved. */
  move: text("move"),
  /** Number of the run of the mover. A step of an earlier run changes nothing. */
  run: integer("run").notNull().default(0),
  /** Until when writes wait for the end of the move, in seconds since the Unix epoch. */
  lockedUntil: real("locked_until").notNull().default(0),
  /** How far a leaving bucket is copied, as JSON; `empty` if nothing is left of one that arrives or is gone. */
  position: text("position"),
});

/** Rows of leaving buckets that changed since their moves began, in the order of the changes. */
export const bucketChanges = sqliteTable(
  "bucket_changes",
  {
    seq: integer("seq").primaryKey({ autoIncrement: true }),
    changedTable: text("changed_table").notNull(),
    /** Values of the row's primary key, as JSON. */
    key: text("key").notNull(),
    bucket: integer("bucket").notNull().default(-1),
  },
  (table) => [index("bucket_changes_by_bucket").on(table.bucket, table.changedTable, table.seq)],
);

/** Always empty: a write that must not happen inserts a row here, which its constraints refuse (`buckets/fence.ts`). */
export const refusedWrites = sqliteTable(
  "refused_writes",
  {
    elsewhere: integer("elsewhere"),
    locked: integer("locked"),
    old: integer("old"),
  },
  (table) => [
    check("bucket_is_elsewhere", sql`${table.elsewhere} IS NULL`),
    check("bucket_is_locked", sql`${table.locked} IS NULL`),
    check("interactions_are_old", sql`${table.old} IS NULL`),
  ],
);

/** Moves of buckets that an operator asked for; in the first database only. */
export const bucketMoves = sqliteTable("bucket_moves", {
  bucket: integer("bucket").primaryKey(),
  /** Binding of the database that shall hold the bucket: `DB`, `DB_1`, ... */
  target: text("target").notNull(),
  /** Seconds since the Unix epoch. */
  requestedAt: real("requested_at").notNull(),
  /** What the last step did, or why it failed. */
  detail: text("detail").notNull().default("waits"),
  /** Seconds since the Unix epoch; null until the move is done. */
  doneAt: real("done_at"),
});

/** Positions of jobs, and what is decided once for all databases. */
export const userStorage = sqliteTable("user_storage", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
});

/** Totals that a recount has counted so far; they replace those of `interaction_totals` when it has read all users. */
export const recountedTotals = sqliteTable(
  "recounted_totals",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    hour: integer("hour").notNull(),
    view: integer("view").notNull(),
    click: integer("click").notNull(),
    cart: integer("cart").notNull(),
    purchase: integer("purchase").notNull(),
    dismiss: integer("dismiss").notNull(),
    people: integer("people").notNull(),
    buyers: integer("buyers").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.productId, table.hour] })],
);
