import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { KeyScope } from "../../shared/contracts/credential.ts";

/** API keys. Only the hash of a key is stored. A key has 256 random bits, so its hash needs no salt. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    application: text("application").notNull(),
    id: text("id").notNull(),
    role: text("role", { enum: ["admin", "server", "publishable"] }).notNull(),
    name: text("name").notNull(),
    /** SHA-256 of the key, in lower-case hex. */
    hash: text("hash").notNull(),
    /** Seconds since the Unix epoch, like every time below. */
    createdAt: integer("created_at").notNull(),
    revokedAt: integer("revoked_at"),
    /** JSON list of what a server key may do beyond its role. */
    scopes: text("scopes", { mode: "json" }).$type<KeyScope[]>().notNull().default([]),
    /** When a rotated key stops working; null for a key that was not rotated. */
    expiresAt: integer("expires_at"),
    /** Last use of the key; written at most once an hour. */
    lastUsedAt: integer("last_used_at"),
    /** Since when the copy in KV may differ from this row; null once it is the same. */
    uncopiedSince: integer("uncopied_since").default(0),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.id] }),
    uniqueIndex("api_keys_hash").on(table.hash),
    index("api_keys_uncopied").on(table.uncopiedSince).where(sql`uncopied_since IS NOT NULL`),
  ],
);

/**
 * The last revocation or rotation of each application's keys. Isolates read the changes that they do not know yet, since
 * a copy of a key in KV may be a minute old.
 */
export const keyChanges = sqliteTable(
  "key_changes",
  {
    application: text("application").primaryKey(),
    /** One number for each change of any application, ascending. */
    number: integer("number").notNull(),
    changedAt: integer("changed_at").notNull(),
  },
  (table) => [
    uniqueIndex("key_changes_number").on(table.number),
    index("key_changes_changed").on(table.changedAt),
  ],
);

/**
 * The random marker of a local state, which local commands write. Empty in production, so that no variable opens the
 * development keys there.
 */
export const developmentMarkers = sqliteTable("development_markers", { marker: text("marker").primaryKey() });

/**
 * When each token secret begins to sign. `npm run token-secret` writes and reads it, since nobody can read a secret in
 * an account; the gateway reads the start in the secret itself.
 */
export const tokenSecrets = sqliteTable("token_secrets", {
  /** 2 for `TOKEN_SECRET_2`. */
  number: integer("number").primaryKey(),
  /** Seconds since the Unix epoch. */
  signsFrom: integer("signs_from").notNull(),
});

/** Progress that imports reported through `PUT /v1/imports/{name}`. `/readyz` waits for the initial import. */
export const imports = sqliteTable(
  "imports",
  {
    application: text("application").notNull(),
    name: text("name").notNull(),
    status: text("status", { enum: ["running", "done", "failed"] }).notNull(),
    done: integer("done").notNull(),
    total: integer("total").notNull(),
    /** Why a failed import failed. */
    reason: text("reason"),
    /** Seconds since the Unix epoch. */
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.name] }),
    index("imports_updated").on(table.application, table.updatedAt),
  ],
);
