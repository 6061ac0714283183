/// <reference types="@cloudflare/vitest-plugin/types" />
import type { D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** The bindings that vitest.config.ts declares for the tests. */
export interface TestEnvironment {
  DB: D1Database;
  KEYS: KVNamespace;
  RATE_LIMIT: RateLimit;
  MIGRATIONS: D1Migration[];
}

export const testEnvironment: TestEnvironment = { MIGRATIONS: [], ...env };
