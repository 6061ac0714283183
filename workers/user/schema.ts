import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
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

/** Interactions of users: the source of truth, from which totals and transitions can be rebuilt. */
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
  },
  (table) => [primaryKey({ columns: [table.application, table.pseudonym] })],
);
