import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** People: what they allow and are known by. */
export const users = sqliteTable(
  "users",
  {
    application: text("application").notNull(),
    userId: text("user_id").notNull(),
    homeLat: real("home_lat"),
    homeLon: real("home_lon"),
    precision: text("precision", { enum: ["exact", "1km", "city"] }).notNull(),
    attributes: text("attributes", { mode: "json" })
      .$type<Record<string, string | number | boolean | null>>()
      .notNull(),
    /** Grows with each change of home or precision; the person's object keeps the newest. */
    settingsVersion: integer("settings_version").notNull(),
    /** Seconds since the epoch. */
    createdAt: real("created_at").notNull(),
    updatedAt: real("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.userId] })],
);

/** Where people were, at the precision that they allowed. */
export const userLocations = sqliteTable(
  "user_locations",
  {
    application: text("application").notNull(),
    userId: text("user_id").notNull(),
    /** Sequence number in the person's outbox: a repeated message changes nothing. */
    seq: integer("seq").notNull(),
    lat: real("lat").notNull(),
    lon: real("lon").notNull(),
    precision: text("precision").notNull(),
    time: real("time").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.userId, table.seq] })],
);

/** The record of truth of what people did. */
export const interactions = sqliteTable(
  "interactions",
  {
    application: text("application").notNull(),
    userId: text("user_id").notNull(),
    eventId: text("event_id").notNull(),
    type: text("type", { enum: ["view", "click", "cart", "purchase", "dismiss"] }).notNull(),
    productId: text("product_id").notNull(),
    time: real("time").notNull(),
    lat: real("lat"),
    lon: real("lon"),
    recommendationId: text("recommendation_id"),
    /** 1 for the person's first interaction with the product: totals count people by it. */
    first: integer("first").notNull(),
    /** The call that inserted the row: what makes the totals change by exactly what was inserted. */
    batch: text("batch").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.userId, table.eventId] }),
    index("interactions_newest").on(table.application, table.userId, table.time, table.eventId),
  ],
);

/** Counts of a product's interactions by UTC hour. */
export const interactionTotals = sqliteTable(
  "interaction_totals",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    /** Whole hours since the epoch. */
    hour: integer("hour").notNull(),
    view: integer("view").notNull(),
    click: integer("click").notNull(),
    cart: integer("cart").notNull(),
    purchase: integer("purchase").notNull(),
    dismiss: integer("dismiss").notNull(),
    people: integer("people").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.productId, table.hour] })],
);

/** Tombstones of erased people, by pseudonym: what comes late of theirs is dropped. */
export const erasures = sqliteTable(
  "erasures",
  {
    application: text("application").notNull(),
    /** The person's pseudonym. */
    pseudonym: text("pseudonym").notNull(),
    /** The last of their lives that is erased, and with it all before. */
    generation: integer("generation").notNull().default(0),
    erasedAt: real("erased_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.pseudonym] })],
);
