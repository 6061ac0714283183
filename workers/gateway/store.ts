import { and, asc, eq, gte, isNull, ne, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { KeyRecord } from "../shared/contracts/credential.ts";
import { toInstant } from "../shared/contracts/primitives.ts";
import type { ImportInput, ImportRecord } from "../shared/contracts/readiness.ts";
import { apiKeys, imports } from "./schema.ts";

/** A key as authentication needs it. */
export interface StoredKey {
  application: string;
  id: string;
  role: "admin" | "client";
  hash: string;
}

/** The gateway's own records: keys and imports. */
export class Store {
  readonly #database;

  constructor(database: D1Database) {
    this.#database = drizzle(database);
  }

  /** The key of a hash, if it is not revoked. */
  async findKey(hash: string): Promise<StoredKey | null> {
    const [row] = await this.#database
      .select({ application: apiKeys.application, id: apiKeys.id, role: apiKeys.role, hash: apiKeys.hash })
      .from(apiKeys)
      .where(and(eq(apiKeys.hash, hash), isNull(apiKeys.revokedAt)))
      .limit(1);
    return row ?? null;
  }

  async addKey(key: StoredKey & { name: string; createdAt: number }): Promise<void> {
    await this.#database.insert(apiKeys).values(key);
  }

  /** Oldest first. */
  async listKeys(application: string): Promise<KeyRecord[]> {
    const rows = await this.#database
      .select()
      .from(apiKeys)
      .where(eq(apiKeys.application, application))
      .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id));
    return rows.map(({ hash: _, createdAt, revokedAt, ...row }) => ({
      ...row,
      createdAt: toInstant(createdAt),
      revokedAt: revokedAt === null ? null : toInstant(revokedAt),
    }));
  }

  /** Whether the application has such a key; revoking it again keeps the first time. */
  async revokeKey(application: string, id: string, at: number): Promise<boolean> {
    const mine = and(eq(apiKeys.application, application), eq(apiKeys.id, id));
    await this.#database
      .update(apiKeys)
      .set({ revokedAt: at })
      .where(and(mine, isNull(apiKeys.revokedAt)));
    const rows = await this.#database.select({ id: apiKeys.id }).from(apiKeys).where(mine);
    return rows.length > 0;
  }

  async putImport(application: string, name: string, input: ImportInput, at: number): Promise<ImportRecord> {
    const row = { ...input, updatedAt: at };
    await this.#database
      .insert(imports)
      .values({ application, name, ...row })
      .onConflictDoUpdate({ target: [imports.application, imports.name], set: row });
    return { name, ...input, updatedAt: toInstant(at) };
  }

  /** Imports that run and were heard of since `since`, and those that failed. */
  async openImports(since: number): Promise<ImportRecord[]> {
    const rows = await this.#database
      .select()
      .from(imports)
      .where(and(ne(imports.status, "done"), or(eq(imports.status, "failed"), gte(imports.updatedAt, since))))
      .limit(100);
    return rows.map(({ application: _, updatedAt, ...row }) => ({ ...row, updatedAt: toInstant(updatedAt) }));
  }
}
