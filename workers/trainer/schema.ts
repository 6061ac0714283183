import { sql } from "drizzle-orm";
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import {
  type EvaluationInput,
  type EvaluationResult,
  evaluationStatuses,
} from "../../shared/contracts/evaluation.ts";
import { recalibrationStatuses } from "../../shared/contracts/recalibration.ts";

/** Records of recalibrations. Their artifacts are in R2. */
export const recalibrations = sqliteTable(
  "recalibrations",
  {
    application: text("application").notNull(),
    id: text("id").notNull(),
    status: text("status", { enum: recalibrationStatuses }).notNull(),
    step: text("step").notNull(),
    progress: real("progress").notNull(),
    /** Seconds since the Unix epoch. */
    startedAt: real("started_at").notNull(),
    updatedAt: real("updated_at").notNull(),
    parent: text("parent"),
    version: text("version"),
    reasons: text("reasons", { mode: "json" }).$type<string[]>().notNull(),
    figures: text("figures", { mode: "json" }).$type<Record<string, unknown>>().notNull(),
    /** Id of the process that wrote the record last, or woke its instance; see {@link currentProcess}. */
    process: text("process").notNull(),
    /** When the record was written, or its instance was looked at; in seconds since the Unix epoch. */
    checkedAt: real("checked_at").notNull(),
    /** Whether R2 may hold artifacts, which have examples of users. */
    holdsArtifacts: integer("holds_artifacts", { mode: "boolean" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.id] }),
    uniqueIndex("recalibrations_active").on(table.application).where(sql`status IN ('queued', 'running')`),
    index("recalibrations_unfinished").on(table.checkedAt).where(sql`holds_artifacts = 1`),
    index("recalibrations_by_age").on(table.updatedAt),
  ],
);

/** Records of off-policy evaluations. Their artifacts are in R2. */
export const evaluations = sqliteTable(
  "evaluations",
  {
    application: text("application").notNull(),
    id: text("id").notNull(),
    status: text("status", { enum: evaluationStatuses }).notNull(),
    step: text("step").notNull(),
    progress: real("progress").notNull(),
    /** Seconds since the Unix epoch. */
    startedAt: real("started_at").notNull(),
    updatedAt: real("updated_at").notNull(),
    input: text("input", { mode: "json" }).$type<EvaluationInput>().notNull(),
    result: text("result", { mode: "json" }).$type<EvaluationResult>(),
    reasons: text("reasons", { mode: "json" }).$type<string[]>().notNull(),
    /** Id of the process that wrote the record last, or woke its instance; see {@link currentProcess}. */
    process: text("process").notNull(),
    /** When the record was written, or its instance was looked at; in seconds since the Unix epoch. */
    checkedAt: real("checked_at").notNull(),
    /** Whether R2 may hold artifacts, which have examples of users. */
    holdsArtifacts: integer("holds_artifacts", { mode: "boolean" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.id] }),
    uniqueIndex("evaluations_active").on(table.application).where(sql`status IN ('queued', 'running')`),
    index("evaluations_unfinished").on(table.checkedAt).where(sql`holds_artifacts = 1`),
    index("evaluations_by_age").on(table.updatedAt),
    index("evaluations_newest").on(table.application, table.startedAt),
  ],
);
