import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWorkers } from "../../scripts/build/build-workers.ts";
import type { BuiltWorker } from "../../scripts/build/built-worker.ts";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { configuredWorkers } from "../../scripts/deploy/configuration/configured-workers.ts";
import { readEnvironment } from "../../scripts/deploy/configuration/environment.ts";
import { releaseBefore } from "../../scripts/deploy/release-before.ts";
import { runFlows, startStack, storeFirstData } from "./mixed-stack.ts";
import {
  buildReleaseBefore,
  checkOutReleaseBefore,
  hasReleaseBefore,
  runInRelease,
} from "./release-before.ts";

const long = process.env.VICINITY_LONG === "1";
const canRun = long && hasReleaseBefore();
if (long && !canRun)
  console.warn(
    `This clone lacks the commit ${releaseBefore.commit} of the release before: git fetch --unshallow.`,
  );

const scratch = mkdtempSync(join(tmpdir(), "vicinity-releases-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const folder = join(scratch, "before");
const stateDir = join(scratch, "state");
/** Names of the workers in the order in which `npm run deploy` gives them a new version. */
const order = configuredWorkers(readEnvironment("production")).map(({ name }) => name);

describe.runIf(canRun)(`this release and the one before it (${releaseBefore.label})`, () => {
  let before: ReadonlyMap<string, BuiltWorker>;
  let after: ReadonlyMap<string, BuiltWorker>;
  const events = ["event-of-the-release-before"];

  beforeAll(async () => {
    checkOutReleaseBefore(folder);
    before = buildReleaseBefore(folder);
    after = new Map((await buildWorkers(() => undefined)).workers.map((worker) => [worker.name, worker]));
    runInRelease(
      folder,
      `import { migrateLocalDatabases } from "./scripts/databases/migrate.ts"; await migrateLocalDatabases(${JSON.stringify(stateDir)});`,
    );
  }, 600_000);

  /** Starts the workers of which the first `count` in the order of deployment are new, and returns what requests show. */
  async function requestsOf(name: string, count: number) {
    const workers = order.flatMap((each, i) => (i < count ? after : before).get(each) ?? []);
    const stack = await startStack(workers, stateDir);
    try {
      if (name === "before") await storeFirstData(stack);
      return await runFlows(stack, name, events);
    } finally {
      await stack.stop();
      events.push(`event-${name}`);
    }
  }
  const working = (name: string) => ({
    recommended: 5,
    recommendedToNewUser: 5,
    product: `${name}-0`,
    missingEvents: [],
  });

  it("answer and store in every stack of a deployment, and after a rollback", {
    timeout: 1_200_000,
  }, async () => {
    expect(await requestsOf("before", 0)).toEqual(working("before"));
    await migrateLocalDatabases(stateDir);
    expect(await requestsOf("migrated", 0)).toEqual(working("migrated"));
    for (let count = 1; count <= order.length; count++)
      expect(await requestsOf(`new-${order[count - 1]}`, count)).toEqual(working(`new-${order[count - 1]}`));
    const rolledBack = await requestsOf("rolled-back", 0);
    const forgotten = releaseBefore.notReversible.length > 0 ? rolledBack.missingEvents : [];
    expect(rolledBack).toEqual({ ...working("rolled-back"), missingEvents: forgotten });
    expect(forgotten).not.toContain("event-rolled-back");
    expect(await requestsOf("again", order.length)).toEqual(working("again"));
  });
});

it("is tested in the long form, in a clone that has the commit of the release before", () => {
  expect(releaseBefore.commit).toMatch(/^[0-9a-f]{40}$/);
});
