import { primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { ModelOrigin } from "../shared/contracts/model.ts";

/** Models by application: what was registered, and what serves. The files lie in R2 under their hash. */
export const models = sqliteTable(
  "models",
  {
    application: text("application").notNull(),
    version: text("version").notNull(),
    sha256: text("sha256").notNull(),
    status: text("status", { enum: ["registered", "shadow", "canary", "serving", "retired"] }).notNull(),
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

/** Experiments by application: which variants share the people. */
export const experiments = sqliteTable(
  "experiments",
  {
    application: text("application").notNull(),
    name: text("name").notNull(),
    /** Name and share of each variant. */
    variants: text("variants", { mode: "json" }).$type<{ name: string; share: number }[]>().notNull(),
    status: text("status", { enum: ["running", "ended"] }).notNull(),
    createdAt: real("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.name] })],
);
