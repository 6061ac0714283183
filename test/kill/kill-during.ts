import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { freePort } from "../../scripts/start/free-port.ts";
import { LocalStack } from "./local-stack.ts";
import { UserRecords } from "./user-records.ts";

/** The whole stack of a test file, the records of its users, and the folder of its state. */
export interface TestServer {
  stack: LocalStack;
  records: UserRecords;
  stateDir: string;
}

/**
 * Returns the whole stack for the tests of a file. The stack starts with empty databases before the tests, and is removed
 * after them. `name` becomes a part of the name of its folder.
 */
export async function createTestServer(name: string): Promise<TestServer> {
  const stateDir = mkdtempSync(join(tmpdir(), `vicinity-${name}-`));
  const stack = new LocalStack(await freePort(), stateDir);
  beforeAll(async () => {
    await migrateLocalDatabases(stateDir);
    await stack.start();
  });
  afterAll(async () => {
    await stack.kill();
    rmSync(stateDir, { recursive: true, force: true });
  });
  return { stack, records: new UserRecords(stack.url), stateDir };
}

/**
 * Sends a request, kills the whole stack after a delay, and starts it again. Returns the answer to the request; null if
 * there was none.
 */
export async function killDuring<T>(
  stack: LocalStack,
  request: () => Promise<T>,
  delayMs: number,
): Promise<T | null> {
  const answered = request().catch(() => null);
  await sleep(delayMs);
  await stack.kill();
  await stack.start();
  return answered;
}
