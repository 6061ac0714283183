import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { type ModelOrigin, modelStatuses, type RolloutVerdict } from "../../shared/contracts/model.ts";

/** Registered models. The files are in R2 under their hash. */
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
    /** Seconds since the Unix epoch. */
    createdAt: real("created_at").notNull(),
    promotedAt: real("promoted_at"),
    /** Who uploaded or trained the model, and the gate's result. */
    origin: text("origin", { mode: "json" }).$type<ModelOrigin>(),
    promotedBy: text("promoted_by"),
  },
  (table) => [primaryKey({ columns: [table.application, table.version] })],
);

/** Uploads of models of the last hour: loading a model is expensive, so that an application uploads a few at once. */
export const uploads = sqliteTable(
  "uploads",
  {
    application: text("application").notNull(),
    id: text("id").notNull(),
    /** Seconds since the Unix epoch. */
    startedAt: real("started_at").notNull(),
    /** Null while the upload runs, or if it was interrupted. */
    endedAt: real("ended_at"),
  },
  (table) => [primaryKey({ columns: [table.application, table.id] })],
);

/** The rollout of a version: shadow statistics and canary verdict. */
export const rollouts = sqliteTable(
  "rollouts",
  {
    application: text("application").notNull(),
    version: text("version").notNull(),
    /** Start of the shadow and of the canary, in seconds since the Unix epoch. */
    shadowAt: real("shadow_at").notNull(),
    canaryAt: real("canary_at"),
    /** Requests that the shadow model scored, including failures, and how many of them failed. */
    requests: integer("requests").notNull().default(0),
    failures: integer("failures").notNull().default(0),
    /** Sums over the requests: share of the shown products that the shadow model shows too; mean score difference. */
    overlap: real("overlap").notNull().default(0),
    distance: real("distance").notNull().default(0),
    /** Verdict on the canary when it ended. */
    verdict: text("verdict", { mode: "json" }).$type<RolloutVerdict>(),
  },
  (table) => [primaryKey({ columns: [table.application, table.version] })],
);

/** Status changes of versions: the new status, who made the change, and why. */
export const modelChanges = sqliteTable(
  "model_changes",
  {
    application: text("application").notNull(),
    version: text("version").notNull(),
    /** Number of the change within its version, from 1. */
    seq: integer("seq").notNull(),
    status: text("status", { enum: modelStatuses }).notNull(),
    by: text("by").notNull(),
    reason: text("reason").notNull(),
    at: real("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.version, table.seq] })],
);

/** Counts of users in running experiments, by pseudonym; see shared/experiments/experiment-counts.ts. */
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

/** Experiments of applications, also those that have not started and those that have ended. */
export const experiments = sqliteTable(
  "experiments",
  {
    application: text("application").notNull(),
    name: text("name").notNull(),
    /** Names this definition and its counts: a name that is used again gets another run. */
    run: text("run").notNull(),
    /** What the client defined, as `shared/contracts/experiment.ts` describes it. */
    definition: text("definition", { mode: "json" }).notNull(),
    /** The exclusion group; the experiment's own name if it has none. */
    exclusionGroup: text("exclusion_group").notNull(),
    /** Slots of the group's users that take part: from the first, up to the second, which is not included. */
    slotFrom: integer("slot_from").notNull(),
    slotTo: integer("slot_to").notNull(),
    /** Seconds since the Unix epoch; the end is null for an experiment that runs until it is deleted. */
    startsAt: real("starts_at").notNull(),
    endsAt: real("ends_at"),
    createdAt: real("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.name] })],
);

/** Counts of users in experiments, by pseudonym; see shared/experiments/experiment-users.ts. */
export const experimentUsers = sqliteTable(
  "experiment_users",
  {
    application: text("application").notNull(),
    run: text("run").notNull(),
    pseudonym: text("pseudonym").notNull(),
    variant: text("variant").notNull(),
    /** Number of the counts; a row is replaced by one with a larger number only. */
    revision: integer("revision").notNull(),
    /** Lists, and lists after which the user clicked, carted or bought a shown product. */
    lists: integer("lists").notNull(),
    successes: integer("successes").notNull(),
    /** Purchases after the first list, and their units. */
    orders: integer("orders").notNull(),
    units: integer("units").notNull(),
    /** Worth of the purchases in minor units, by currency. */
    revenue: text("revenue", { mode: "json" }).notNull(),
    /** Sums over the lists. */
    diversity: real("diversity").notNull(),
    latencyMs: real("latency_ms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.run, table.pseudonym, table.variant] }),
    index("experiment_users_by_pseudonym").on(table.application, table.pseudonym),
  ],
);

/** What the counts of an experiment's users add up to, for results; see experiments/stored-sums.ts. */
export const experimentSums = sqliteTable(
  "experiment_sums",
  {
    application: text("application").notNull(),
    run: text("run").notNull(),
    /** Sums by variant, and their users; null until they are computed for the first time. */
    sums: text("sums", { mode: "json" }),
    users: integer("users").notNull().default(0),
    /** When the sums were computed, and when somebody began to compute them, in seconds since the Unix epoch. */
    computedAt: real("computed_at").notNull().default(0),
    claimedAt: real("claimed_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.run] })],
);

/** Drift of a version on a day: distributions of features, scores and outcomes. */
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

/** Versions of scenarios. Of each scenario, one version is current. */
export const scenarios = sqliteTable(
  "scenarios",
  {
    application: text("application").notNull(),
    name: text("name").notNull(),
    version: integer("version").notNull(),
    /** JSON; see shared/contracts/scenario.ts. */
    settings: text("settings").notNull(),
    /** Seconds since the Unix epoch. */
    createdAt: real("created_at").notNull(),
    isCurrent: integer("is_current", { mode: "boolean" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.name, table.version] })],
);
