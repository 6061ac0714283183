import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineProject } from "vitest/config";
import { seedFiles } from "../../shared/testing/seed-files.ts";

const migrationsFolder = join(import.meta.dirname, "../../migrations");

/** Stores and variables of tests with users' objects and cells. */
export interface ProjectWithObjects {
  name: string;
  d1Databases: string[];
  /** The tiles alone if absent. */
  kvNamespaces?: string[];
  r2Buckets: string[];
  /** Name of the worker whose migrations a binding contains, by binding. */
  migrations: Record<string, string>;
  /** Variables of the worker, apart from `LONG` and `PSEUDONYM_SECRET`. */
  variables: Record<string, string>;
  timeoutMs: number;
}

/**
 * Returns the configuration of a test project: real users' objects and cells of the folder's `worker.ts`, databases,
 * buckets, namespaces of KV, and files of models.
 */
export function projectWithObjects({
  name,
  d1Databases,
  kvNamespaces = ["TILES"],
  r2Buckets,
  migrations,
  variables,
  timeoutMs,
}: ProjectWithObjects) {
  const readMigrations = async () =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(migrations).map(
          async ([binding, worker]) =>
            [binding, await readD1Migrations(join(migrationsFolder, worker))] as const,
        ),
      ),
    );
  return defineProject({
    plugins: [
      cloudflareTest(async () => ({
        main: "./worker.ts",
        miniflare: {
          compatibilityDate: "2026-11-01",
          durableObjects: {
            USER_SESSION: { className: "UserSession", useSQLite: true },
            CELL: { className: "Cell", useSQLite: true },
          },
          d1Databases,
          kvNamespaces,
          r2Buckets,
          bindings: {
            ...(await readMigrations()),
            ...variables,
            LONG: process.env.VICINITY_LONG === "1",
            PSEUDONYM_SECRET: "a-secret-of-the-tests-0123456789abcdef",
          },
          modulesRules: [
            { type: "Data", include: ["**/*.onnx"], fallthrough: true },
            { type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true },
          ],
        },
      })),
    ],
    test: {
      name,
      include: ["**/*.worker.test.ts"],
      setupFiles: seedFiles,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
    },
  });
}
