import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../workers.ts";
import { Account } from "./account/account.ts";
import { recordOf } from "./account/account-state.ts";
import { configuredWorkers } from "./configuration/configured-workers.ts";
import { checkNoneRuns, planRollback, rollBack } from "./rollout/rollback.ts";
import { deployTo, healthyGateway, planFor, testEnvironment } from "./testing/deploy-to.ts";
import { FakeAccount } from "./testing/fake-account.ts";

const folder = mkdtempSync(join(tmpdir(), "vicinity-deploy-"));
afterAll(() => rmSync(folder, { recursive: true }));

const environment = testEnvironment();
const workerNames = configuredWorkers(environment).map(({ name }) => name);
const full = (worker: string) => `vicinity-${worker}-testing`;
/** Commands that change an account. */
const changes = /^(deploy -c|versions (upload|deploy)|triggers|secret (put|delete)|.* create |d1 migrations)/;
const changing = (calls: readonly string[]): string[] => calls.filter((call) => changes.test(call));
/** Percentages that versions of a worker got, in the order of the commands. */
const shifts = (calls: readonly string[], worker: string): string[] =>
  calls
    .filter((call) => call.startsWith("versions deploy") && call.includes(`wrangler.deploy.${worker}.`))
    .map((call) => [...call.matchAll(/@(\d+)%/g)].map(([, share]) => share).join("+"));

/** An account to which the first version of everything was deployed. */
async function deployedAccount(): Promise<FakeAccount> {
  const fake = new FakeAccount();
  await deployTo(fake);
  fake.calls.length = 0;
  return fake;
}

/** Gives workers other code, as an edit does. */
const edit = (fake: FakeAccount, code: string, ...workers: string[]): void => {
  for (const worker of workers) fake.code.set(full(worker), code);
};

async function undo(fake: FakeAccount): Promise<string[]> {
  const account = new Account(fake.run);
  const record = recordOf(account, environment, () => 0);
  const rollback = await planRollback(record, workerNames);
  const configOf = (name: string) => {
    const file = join(folder, `wrangler.deploy.${name}.json`);
    writeFileSync(file, JSON.stringify({ name: full(name) }));
    return file;
  };
  await rollBack(account, record, rollback, configOf, () => ({ done: () => undefined }));
  return rollback.steps.map(({ worker }) => worker);
}

describe("npm run deploy to an empty account", () => {
  it("creates everything, deploys all workers, tests them, and then has nothing more to do", async () => {
    const fake = new FakeAccount();
    const { lines } = await planFor(fake);
    expect(changing(fake.calls)).toEqual([]);
    expect(lines.join("\n")).toContain("Nothing of testing exists in this account");
    expect(lines.join("\n")).toContain("D1 database   vicinity-deployments-testing");
    const gateway = healthyGateway();
    const { url, tasks } = await deployTo(fake, { gateway });
    expect(url).toBe("https://vicinity-gateway-testing.some-account.workers.dev");
    expect(tasks.at(-1)).toMatch(/^Smoke test: healthy, ready, 3 recommendations/);
    expect([...fake.workers.keys()]).toEqual(workerNames.map(full));
    for (const name of workerNames) expect(fake.serving(full(name))).toEqual({ first: 100 });
    expect(gateway.requests.map(({ path }) => path)).toContain("/v1/recommendations");
    fake.calls.length = 0;
    expect((await planFor(fake)).lines).toEqual(["", "  testing is up to date: nothing to do."]);
    await deployTo(fake);
    expect(changing(fake.calls)).toEqual([]);
  });

  it("goes on where it was killed, whichever command that was", { timeout: 600_000 }, async () => {
    const whole = new FakeAccount();
    await deployTo(whole);
    const total = whole.calls.length;
    const every = process.env.VICINITY_LONG ? 1 : 11;
    for (let kill = 1; kill < total; kill += every) {
      const fake = new FakeAccount();
      let left = kill;
      fake.before = () => {
        if (left-- <= 0) throw new Error("killed");
      };
      await expect(deployTo(fake)).rejects.toThrow();
      fake.before = () => undefined;
      await deployTo(fake, { takeOver: true, secrets: { random: () => "another".repeat(10) } });
      const secretOf = (worker: string) => fake.workers.get(full(worker))?.secrets.get("PSEUDONYM_SECRET");
      expect(secretOf("user-session")).toBe(secretOf("recommendation"));
      expect([...fake.workers.keys()].sort(), `killed at ${kill}`).toEqual([...whole.workers.keys()].sort());
      expect([...fake.databases.keys()].sort()).toEqual([...whole.databases.keys()].sort());
      const cities = fake.databases.get("vicinity-location-testing")?.sqlite;
      expect(cities?.prepare("SELECT count(*) AS n FROM cities").get()).toEqual(
        whole.databases
          .get("vicinity-location-testing")
          ?.sqlite.prepare("SELECT count(*) AS n FROM cities")
          .get(),
      );
      expect((await planFor(fake)).lines.join()).toContain("nothing to do");
    }
  });

  it("stores data where the environment says, and never moves it", async () => {
    const eu = testEnvironment({ jurisdiction: "eu" });
    const fake = new FakeAccount();
    await deployTo(fake, { environment: eu });
    expect([...fake.databases.values()].every(({ where }) => where.join(" ") === "--jurisdiction eu")).toBe(
      true,
    );
    expect(new Set(fake.buckets.values())).toEqual(new Set(["eu"]));
    await expect(planFor(fake)).rejects.toThrow('deployed with the jurisdiction "eu"');
    await expect(planFor(await deployedAccount(), { environment: eu })).rejects.toThrow("cannot move");
  });
});

describe.runIf(process.env.VICINITY_LONG)(
  "npm run deploy -- --env staging --dry-run",
  { timeout: 300_000 },
  () => {
    it("bundles every worker with wrangler itself, also where nobody is logged in", () => {
      const output = execFileSync(process.execPath, ["scripts/deploy.ts", "--env", "staging", "--dry-run"], {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, CLOUDFLARE_API_TOKEN: "", HOME: folder, XDG_CONFIG_HOME: folder },
      });
      expect(output).toContain("wrangler is not logged in; this is the plan of an empty account");
      for (const name of workerNames)
        expect(output).toMatch(new RegExp(`\\d\\. ${name} +first deployment \\([\\d.]+ KiB`));
      expect(output).toContain("D1 database   vicinity-deployments-staging");
    });
  },
);

describe("npm run deploy of a new version", () => {
  it("moves requests by steps, callees first, and tests each step; the others stay", async () => {
    const fake = await deployedAccount();
    edit(fake, "second", "location", "gateway");
    const { lines } = await planFor(fake);
    expect(lines.join("\n")).toMatch(/location +upload, then 5% → 25% → 100% of requests/);
    expect(lines.join("\n")).toMatch(/user +unchanged/);
    const gateway = healthyGateway();
    await deployTo(fake, { gateway });
    expect(shifts(fake.calls, "location")).toEqual(["95+5", "75+25", "100"]);
    expect(shifts(fake.calls, "user")).toEqual([]);
    expect(fake.serving(full("location"))).toEqual({ second: 100 });
    const order = changing(fake.calls).filter((call) => call.startsWith("versions deploy"));
    expect(order.findIndex((call) => call.includes(".gateway."))).toBe(3);
    // 59 requests reach a version that gets 5% of them with 95% probability; the gateway's is asked for by its id.
    const recommendations = gateway.requests.filter(({ path }) => path === "/v1/recommendations");
    expect(recommendations.slice(0, 59).every(({ override }) => override === null)).toBe(true);
    expect(
      recommendations.filter(({ override }) => override?.startsWith('vicinity-gateway-testing="')),
    ).toHaveLength(9);
    expect(gateway.slept).toBe(1000 * 4 * 60 + 1000 * 2 * 5);
    expect(fake.workers.get(full("gateway"))?.triggers?.triggers?.crons).toHaveLength(2);
  });

  it("gives requests back when a test fails, stops, and later goes on with a corrected version", async () => {
    const fake = await deployedAccount();
    edit(fake, "broken", "location", "gateway");
    const gateway = healthyGateway();
    gateway.fail = (path) =>
      path === "/v1/recommendations" && fake.serving(full("location")).broken === 25 ? 500 : null;
    await expect(deployTo(fake, { gateway })).rejects.toThrow("/v1/recommendations answered 500");
    expect(shifts(fake.calls, "location")).toEqual(["95+5", "75+25", "100"]);
    expect(fake.serving(full("location"))).toEqual({ first: 100 });
    expect(fake.serving(full("gateway"))).toEqual({ first: 100 });
    edit(fake, "corrected", "location", "gateway");
    await deployTo(fake, { label: "vicinity 1.0.1" });
    expect(fake.serving(full("location"))).toEqual({ corrected: 100 });
    expect(await undo(fake)).toEqual(["gateway", "location"]);
    expect(fake.serving(full("location"))).toEqual({ first: 100 });
  });

  it("goes on with a version that an interrupted run left at 5%, without a second upload", async () => {
    const fake = await deployedAccount();
    edit(fake, "second", "user");
    const gateway = healthyGateway();
    gateway.fetch = (() => Promise.reject(new Error("killed"))) as unknown as typeof gateway.fetch;
    fake.before = (command) => {
      if (command.startsWith("versions deploy") && fake.serving(full("user")).second === 5)
        throw new Error("killed");
    };
    await expect(deployTo(fake, { gateway })).rejects.toThrow("killed");
    expect(fake.serving(full("user"))).toEqual({ first: 95, second: 5 });
    fake.before = () => undefined;
    expect((await planFor(fake)).lines.join("\n")).toMatch(/user +uploaded already, then 25% → 100%/);
    await deployTo(fake, { takeOver: true });
    expect(fake.calls.filter((call) => call.startsWith("versions upload"))).toHaveLength(1);
    expect(fake.serving(full("user"))).toEqual({ second: 100 });
    await undo(fake);
    expect(fake.serving(full("user"))).toEqual({ first: 100 });
  });

  it("waits while another deployment runs", async () => {
    const fake = await deployedAccount();
    const database = fake.databases.get("vicinity-deployments-testing")?.sqlite;
    database?.exec("UPDATE releases SET status = 'running'");
    await expect(deployTo(fake)).rejects.toThrow("Another deployment (vicinity 1.0.0) runs");
    const seconds = Date.parse("2026-01-31T12:00:00Z") / 1000;
    const record = recordOf(new Account(fake.run), environment, () => seconds);
    await expect(checkNoneRuns(record, seconds)).rejects.toThrow("is being deployed");
    await checkNoneRuns(record, seconds + 3600);
    await deployTo(fake, { takeOver: true });
    expect(database?.prepare("SELECT status FROM releases").all()).toEqual([{ status: "finished" }]);
  });

  it("leaves no key behind", async () => {
    const fake = await deployedAccount();
    const keys = fake.databases.get("vicinity-gateway-testing")?.sqlite;
    expect(keys?.prepare("SELECT count(*) AS n FROM api_keys WHERE revoked_at IS NULL").get()).toEqual({
      n: 0,
    });
  });
});

describe("npm run deploy -- --rollback", () => {
  it("gives all requests back, callers first, one release at a time", async () => {
    const fake = await deployedAccount();
    edit(fake, "second", "location", "product", "gateway");
    await deployTo(fake, { label: "vicinity 2.0.0" });
    edit(fake, "third", "product");
    await deployTo(fake, { label: "vicinity 3.0.0" });
    expect(await undo(fake)).toEqual(["product"]);
    expect(fake.serving(full("product"))).toEqual({ second: 100 });
    expect(await undo(fake)).toEqual(["gateway", "product", "location"]);
    for (const name of workerNames) expect(fake.serving(full(name))).toEqual({ first: 100 });
    await expect(undo(fake)).rejects.toThrow("it was the first deployment");
  });

  it("is refused where a release changed classes of Durable Objects", async () => {
    const fake = await deployedAccount();
    const database = fake.databases.get("vicinity-deployments-testing")?.sqlite;
    database?.exec("UPDATE release_workers SET change = 'transferred' WHERE worker = 'location'");
    await expect(undo(fake)).rejects.toThrow("it changed the Durable Objects of location");
  });
});

describe("npm run deploy to an account of version 0.2", () => {
  const kept = "kept".repeat(16);

  /** An account whose recommendation and location workers have the objects, and that has no record of deployments. */
  async function earlierAccount(): Promise<FakeAccount> {
    const fake = new FakeAccount();
    await deployTo(fake, { secrets: { random: () => kept } });
    fake.databases.delete("vicinity-deployments-testing");
    for (const [className, now, before] of [
      ["UserSession", "user-session", "recommendation"],
      ["Cell", "cell", "location"],
    ]) {
      fake.workers.delete(full(now));
      const worker = fake.workers.get(full(before));
      if (worker) worker.migrationTag = "v1";
      for (const owner of fake.objects.values())
        if (owner.className === className) owner.worker = full(before);
    }
    for (const worker of fake.workers.values()) for (const version of worker.versions) version.tag = null;
    fake.calls.length = 0;
    edit(fake, "second", ...workerNames);
    return fake;
  }
  const given = { PSEUDONYM_SECRET: kept };

  it("lets the new workers take the objects over before their owners of before get a new version", async () => {
    const fake = await earlierAccount();
    const { lines } = await planFor(fake);
    const plan = lines.join("\n");
    expect(plan).toMatch(/cell +first deployment; takes over the objects of Cell from location/);
    expect(plan).toMatch(
      /user-session +first deployment; takes over the objects of UserSession from recommendation/,
    );
    expect(plan).toMatch(
      /PSEUDONYM_SECRET +the value that recommendation has, for user-session: you must give it/,
    );
    expect(plan).toContain("no release before this one can run afterwards");
    expect(plan).toContain("Requests may fail until the end");
    await expect(deployTo(fake)).rejects.toThrow("--secrets-file FILE");
    expect(fake.ownersOf("Cell")).toEqual([full("location")]);
    const namespaces = [...fake.objects.keys()];
    await deployTo(fake, { secrets: { given } });
    expect([...fake.objects.keys()]).toEqual(namespaces);
    expect(fake.ownersOf("Cell")).toEqual([full("cell")]);
    expect(fake.ownersOf("UserSession")).toEqual([full("user-session")]);
    expect(fake.workers.get(full("user-session"))?.secrets.get("PSEUDONYM_SECRET")).toBe(kept);
    // Its versions of before have the class, so no two versions of it run side by side.
    expect(shifts(fake.calls, "location")).toEqual([]);
    expect(shifts(fake.calls, "product")).toEqual(["100"]);
    const deployed = changing(fake.calls).flatMap(
      (call) => /^deploy -c \S+wrangler\.deploy\.([a-z-]+)\./.exec(call)?.[1] ?? [],
    );
    expect(deployed).toEqual(["cell", "location", "user-session", "recommendation"]);
    expect((await planFor(fake)).lines.join()).toContain("nothing to do");
    await expect(undo(fake)).rejects.toThrow(
      "it changed the Durable Objects of cell, location, recommendation, user-session",
    );
    edit(fake, "third", "cell");
    await deployTo(fake, { label: "vicinity 2.0.0" });
    expect(shifts(fake.calls, "cell")).toEqual(["95+5", "75+25", "100"]);
  });

  it("takes every class over once, wherever it is killed", { timeout: 600_000 }, async () => {
    const whole = await earlierAccount();
    await deployTo(whole, { secrets: { given } });
    for (let kill = 20; kill < whole.calls.length; kill += process.env.VICINITY_LONG ? 1 : 17) {
      const fake = await earlierAccount();
      let left = kill;
      fake.before = () => {
        if (left-- <= 0) throw new Error("killed");
      };
      await expect(deployTo(fake, { secrets: { given } })).rejects.toThrow();
      fake.before = () => undefined;
      await deployTo(fake, { secrets: { given }, takeOver: true });
      expect(fake.ownersOf("Cell"), `killed at ${kill}`).toEqual([full("cell")]);
      expect(fake.ownersOf("UserSession"), `killed at ${kill}`).toEqual([full("user-session")]);
      for (const name of workerNames) expect(fake.serving(full(name))).toEqual({ second: 100 });
    }
  });
});

describe("secrets of a deployment", () => {
  const random = "0123456789abcdef".repeat(4);

  it("are asked for once, kept in a file of their owner, and no argument of a command", async () => {
    const fake = new FakeAccount();
    const file = join(folder, "secrets.json");
    const questions: string[] = [];
    const ask = async (question: string) => {
      questions.push(question);
      return question.startsWith("TOKEN") ? "typed".repeat(10) : "";
    };
    await deployTo(fake, { secrets: { file, ask } });
    expect(questions).toHaveLength(2);
    expect(fake.workers.get(full("gateway"))?.secrets.get("TOKEN_SECRET")).toBe("typed".repeat(10));
    expect(fake.workers.get(full("recommendation"))?.secrets.get("PSEUDONYM_SECRET")).toBe(random);
    expect(fake.calls.join("\n")).not.toContain(random);
    expect(fake.calls.join("\n")).not.toContain("typed");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      PSEUDONYM_SECRET: random,
      TOKEN_SECRET: "typed".repeat(10),
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await deployTo(fake, { secrets: { ask: () => Promise.reject(new Error("asked again")) } });
  });

  it("leave no file behind, also when a command fails", async () => {
    const fake = new FakeAccount();
    let secretsFile = "";
    fake.before = (command) => {
      secretsFile = /--secrets-file (\S+)/.exec(command)?.[1] ?? secretsFile;
      if (command.startsWith("deploy -c") && secretsFile !== "") throw new Error("killed");
    };
    await expect(deployTo(fake)).rejects.toThrow("killed");
    expect(secretsFile).not.toBe("");
    expect(existsSync(secretsFile)).toBe(false);
  });

  it("are replaced in all workers at once where one is lost", async () => {
    const fake = await deployedAccount();
    await deployTo(fake, {
      replacedSecrets: ["PSEUDONYM_SECRET"],
      secrets: { random: () => "other".repeat(10) },
    });
    expect(fake.workers.get(full("recommendation"))?.secrets.get("PSEUDONYM_SECRET")).toBe(
      "other".repeat(10),
    );
    expect(shifts(fake.calls, "recommendation")).toEqual(["95+5", "75+25", "100"]);
  });
});
