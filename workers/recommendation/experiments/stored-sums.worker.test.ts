import { beforeAll, describe, expect, it } from "vitest";
import { experimentInput } from "../../../shared/contracts/experiment.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { ExperimentUsersTable, type SummedExperiment } from "../../../shared/experiments/experiment-users.ts";
import { database, environmentWithRollout, migrateRegistry } from "../testing/models.ts";
import { Experiments } from "./manage-experiments.ts";
import { maxAgeOfSums, StoredSums } from "./stored-sums.ts";

const environment = environmentWithRollout({});
const start = 1_800_000_000;
const summed: SummedExperiment = {
  variants: ["control", "b"],
  metrics: ["conversion", "revenue", "latency"],
  currency: "EUR",
};

/** Starts an experiment of a control and one variant. Returns its run. */
async function startExperiment(application: string): Promise<string> {
  const input = experimentInput.parse({ variants: [{ name: "control" }, { name: "b" }] });
  return unwrap(await new Experiments(environment, application).put("e", input, start), "experiments").run;
}

/** Inserts users from a number up to another one, which is not included. Every hundredth has rows of both variants. */
async function insertUsers(application: string, run: string, from: number, to: number): Promise<void> {
  await database
    .prepare(
      `INSERT INTO experiment_users (application, run, pseudonym, variant, revision, lists, successes, orders, units,
         revenue, diversity, latency_ms)
       WITH RECURSIVE i(n) AS (SELECT ?3 UNION ALL SELECT n + 1 FROM i WHERE n + 1 < ?4)
       SELECT ?1, ?2, printf('%064x', n), v.value, 1, 1 + n % 5, 0, n % 3 = 0, 1, '{"EUR":250}', 1, 40
       FROM i CROSS JOIN json_each('["control","b"]') v WHERE n % 2 = v.key OR n % 100 = 0`,
    )
    .bind(application, run, from, to)
    .run();
}

beforeAll(migrateRegistry);

describe("the stored sums of an experiment", () => {
  it("are computed from each row once, and again after a time that grows with the users", async () => {
    const application = "large";
    const run = await startExperiment(application);
    const users = 100_000;
    await insertUsers(application, run, 0, users);
    const { rowsRead, crossed } = await new ExperimentUsersTable(database).sums(
      ...([application, run, summed] as const),
    );
    expect(crossed).toBe(1000);
    console.info(`${rowsRead} rows read for ${users} users`);
    // A hundredth of the users has two rows.
    expect(rowsRead).toBeLessThanOrEqual(2 * 1.01 * users + 10);

    const read = (now: number) => new StoredSums(database).read(application, run, summed, now);
    const usersOf = ({ variants }: Awaited<ReturnType<typeof read>>) =>
      variants.reduce((sum, each) => sum + each.users, 0);
    expect(usersOf(await read(start))).toBe(99_000);
    await insertUsers(application, run, users + 1, users + 11);
    expect(await read(start + 599)).toMatchObject({ computedAt: start });
    const newer = await read(start + 601);
    expect([usersOf(newer), newer.computedAt]).toEqual([99_010, start + 601]);
    expect(maxAgeOfSums(users)).toBe(600);
  });

  it("are computed by one reader, while others get the ones before", async () => {
    const application = "together";
    const run = await startExperiment(application);
    await insertUsers(application, run, 1, 11);
    const sums = new StoredSums(database);
    const read = (now: number) => sums.read(application, run, summed, now);
    await read(start);
    await insertUsers(application, run, 11, 21);
    await database
      .prepare("UPDATE experiment_sums SET claimed_at = ?")
      .bind(start + 10)
      .run();
    expect((await read(start + 20)).computedAt).toBe(start);
    // Whoever claimed them has died.
    expect((await read(start + 41)).computedAt).toBe(start + 41);
    expect((await read(start + 50)).computedAt).toBe(start + 50);
  });

  it("go with the experiment", async () => {
    const application = "gone";
    const run = await startExperiment(application);
    await insertUsers(application, run, 1, 11);
    await new StoredSums(database).read(application, run, summed, start);
    await new Experiments(environment, application).delete("e");
    const sums = await new StoredSums(database).read(application, run, summed, start + 100);
    expect(sums.variants.map(({ users }) => users)).toEqual([0, 0]);
    const { results } = await database
      .prepare("SELECT run FROM experiment_sums WHERE application = ?")
      .bind(application)
      .all();
    expect(results).toEqual([]);
  });
});
