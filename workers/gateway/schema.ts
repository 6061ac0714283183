import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { KeyScope } from "../../shared/contracts/credential.ts";

/** Keys of applications. A key itself is nowhere: only its hash, of 256 random bits, which needs no salt. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    application: text("application").notNull(),
    id: text("id").notNull(),
    role: text("role", { enum: ["admin", "client"] }).notNull(),
    name: text("name").notNull(),
    /** sha256, lower-case hex. */
    hash: text("hash").notNull(),
    /** Seconds since the epoch. */
    createdAt: integer("created_at").notNull(),
    revokedAt: integer("revoked_at"),
    /** What a client key may do beyond its role, a JSON list. */
    scopes: text("scopes", { mode: "json" }).$type<KeyScope[]>().notNull().default([]),
    /** When a key that was rotated ends. */
    expiresAt: integer("expires_at"),
    /** Written at most once an hour. */
    lastUsedAt: integer("last_used_at"),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.id] }),
    uniqueIndex("api_keys_hash").on(table.hash),
  ],
);

/** Imports, as those who import report them; readiness waits for the running ones. */
export const imports = sqliteTable(
  "imports",
  {
    application: text("application").notNull(),
    name: text("name").notNull(),
    status: text("status", { enum: ["running", "done", "failed"] }).notNull(),
    done: integer("done").notNull(),
    total: integer("total").notNull(),
    /** Seconds since the epoch. */
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.name] }),
    index("imports_status").on(table.status, table.updatedAt),
  ],
);
