import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { type ModelOrigin, modelStatuses, type RolloutVerdict } from "../../shared/contracts/model.ts";

/** Models by application: what was registered, and what serves. The files lie in R2 under their hash. */
export const models = sqliteTable(
  "models",
  {
    application: text("application").notNull(),
    version: text("version").notNull(),
    sha256: text("sha256").notNull(),
    status: text("status", { enum: modelStatuses }).notNull(),
    parent: text("parent"),
    manifest: text("manifest", { mode: "json" }).notNull(),
    metrics: text("metrics", { mode: "json" }).$type<Record<string, number>>().notNull(),
    /** Seconds since the epoch. */
    createdAt: real("created_at").notNull(),
    promotedAt: real("promoted_at"),
    /** Where it came from, and what the gate said of it. */
    origin: text("origin", { mode: "json" }).$type<ModelOrigin>(),
    promotedBy: text("promoted_by"),
  },
  (table) => [primaryKey({ columns: [table.application, table.version] })],
);

/** What a version has been through on its way into service. */
export const rollouts = sqliteTable(
  "rollouts",
  {
    application: text("application").notNull(),
    version: text("version").notNull(),
    /** When it began to be scored beside what serves, and to meet people; seconds since the epoch. */
    shadowAt: real("shadow_at").notNull(),
    canaryAt: real("canary_at"),
    /** Requests that were scored beside; how many of them failed. */
    requests: integer("requests").notNull().default(0),
    failures: integer("failures").notNull().default(0),
    /** Sums over them: share of what was shown that it would show too, and mean absolute difference of scores. */
    overlap: real("overlap").notNull().default(0),
    distance: real("distance").notNull().default(0),
    /** What the outcomes said in the end. */
    verdict: text("verdict", { mode: "json" }).$type<RolloutVerdict>(),
  },
  (table) => [primaryKey({ columns: [table.application, table.version] })],
);

/** Changes of versions: from where, to where, by whom or what, and why. */
export const modelChanges = sqliteTable(
  "model_changes",
  {
    application: text("application").notNull(),
    version: text("version").notNull(),
    /** Order of the changes of a version. */
    seq: integer("seq").notNull(),
    status: text("status", { enum: modelStatuses }).notNull(),
    by: text("by").notNull(),
    reason: text("reason").notNull(),
    at: real("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.version, table.seq] })],
);

/** Counts of people in experiments that are under way, by pseudonym: see shared/experiments/user-counts.ts. */
export const outcomes = sqliteTable(
  "outcomes",
  {
    application: text("application").notNull(),
    experiment: text("experiment").notNull(),
    pseudonym: text("pseudonym").notNull(),
    arm: text("arm").notNull(),
    exposures: integer("exposures").notNull(),
    successes: integer("successes").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.experiment, table.pseudonym, table.arm] }),
    index("outcomes_by_pseudonym").on(table.application, table.pseudonym),
  ],
);

/** How what a version saw, said and brought about was distributed on a day. */
export const drift = sqliteTable(
  "drift",
  {
    application: text("application").notNull(),
    version: text("version").notNull(),
    /** UTC, `2026-01-31`. */
    day: text("day").notNull(),
    figures: text("figures", { mode: "json" }).notNull(),
    updatedAt: real("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.version, table.day] })],
);
