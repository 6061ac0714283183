import { beforeAll, describe, expect, it } from "vitest";
import { metricOfUsers } from "../../../model/experiments/user-metric.ts";
import { type ExperimentInput, experimentInput } from "../../../shared/contracts/experiment.ts";
import type { ExperimentCounts } from "../../../shared/contracts/queues.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import { ExperimentCountsTable } from "../../../shared/experiments/experiment-counts.ts";
import { ExperimentUsersTable } from "../../../shared/experiments/experiment-users.ts";
import { countOutcomes } from "../rollout/count-outcomes.ts";
import { Scenarios } from "../scenarios/scenarios.ts";
import { database, environmentWithRollout, migrateRegistry } from "../testing/models.ts";
import { recommendForAnn, services } from "../testing/services.ts";
import { Experiments } from "./manage-experiments.ts";

const environment = { ...environmentWithRollout({}), PRODUCT: services.PRODUCT as never };
const now = (): number => Date.now() / 1000;
const definition = (change: object = {}): ExperimentInput =>
  experimentInput.parse({
    variants: [{ name: "control" }, { name: "diverse", parameters: { diversity: 0.5 } }],
    ...change,
  });
const inSeconds = (seconds: number): string => new Date((now() + seconds) * 1000).toISOString();
const pseudonym = (i: number): string => `${i}`.padStart(64, "0");
/** Returns the counts of a user as a row of the queue has them. */
const counts = (experiment: string, arm: string, change: object = {}): ExperimentCounts => ({
  ...{ experiment, arm, exposures: 3, successes: 1 },
  measures: {
    revision: 1,
    orders: 1,
    units: 2,
    revenue: { EUR: 1250 },
    diversity: 1.5,
    latencyMs: 60,
    ...change,
  },
});
const deliver = (application: string, users: readonly [number, ExperimentCounts][]) =>
  countOutcomes(
    environment,
    application,
    users.map(([i, each]) => ({
      ...{ userId: `user-${i}`, pseudonym: pseudonym(i), generation: 0 },
      rows: [{ kind: "counts" as const, seq: 1, counts: each }],
    })),
  );

beforeAll(migrateRegistry);

describe("the definition of an experiment", () => {
  it("can change until it starts; then only its end can, and an ended one stays as it is", async () => {
    const experiments = new Experiments(environment, "defined");
    const scheduled = unwrap(
      await experiments.put("layout", definition({ startsAt: inSeconds(60) }), now()),
      "experiments",
    );
    expect(scheduled).toMatchObject({
      name: "layout",
      status: "scheduled",
      goal: "conversion",
      endsAt: null,
    });
    const started = unwrap(
      await experiments.put("layout", definition({ goal: "clickThrough" }), now()),
      "experiments",
    );
    expect(started).toMatchObject({ status: "running", goal: "clickThrough" });
    expect(started.run).not.toBe(scheduled.run);
    expect(await experiments.put("layout", definition(), now() + 1)).toMatchObject({
      ok: false,
      error: { code: "conflict", detail: expect.stringContaining("only `endsAt` may change") },
    });
    const endsAt = inSeconds(30);
    const ending = await experiments.put("layout", definition({ goal: "clickThrough", endsAt }), now() + 1);
    expect(ending).toMatchObject({ ok: true, value: { run: started.run, endsAt } });
    expect(
      await experiments.put("layout", definition({ goal: "clickThrough", endsAt }), now() + 60),
    ).toMatchObject({
      value: { status: "ended" },
    });
    expect(await experiments.put("layout", definition({ goal: "clickThrough" }), now() + 60)).toMatchObject({
      error: { code: "conflict" },
    });
    expect(unwrap(await experiments.delete("layout"), "experiments")).toBeNull();
    expect(await experiments.get("layout", now())).toMatchObject({ error: { code: "not_found" } });
  });

  it("refuses a wrong condition of a variant, with its path", async () => {
    const boosts = [{ when: "product.prise < 5.0", multiply: 2 }];
    const variants = [{ name: "control" }, { name: "cheap", parameters: { boosts } }];
    expect(
      await new Experiments(environment, "wrong").put("cheap", definition({ variants }), now()),
    ).toMatchObject({
      error: {
        code: "invalid_input",
        issues: [{ path: "variants[1].parameters.boosts[0].when", nearest: "product.price" }],
      },
    });
  });

  it("names the experiment that sets the same parameters, unless both are in one group", async () => {
    const experiments = new Experiments(environment, "grouped");
    const group = { group: "checkout", traffic: 0.6 };
    expect((await experiments.put("a", definition(group), now())).ok).toBe(true);
    expect(await experiments.put("b", definition(), now())).toMatchObject({
      error: { detail: expect.stringContaining("The experiment a sets `diversity` too") },
    });
    expect(await experiments.put("b", definition(group), now())).toMatchObject({
      error: { detail: expect.stringContaining("lower `traffic`") },
    });
    expect((await experiments.put("b", definition({ ...group, traffic: 0.4 }), now())).ok).toBe(true);
  });

  it("is bounded: ten experiments of an application run at a time", async () => {
    const experiments = new Experiments(environment, "bounded");
    const group = { group: "all", traffic: 0.01 };
    for (let i = 0; i < 10; i++)
      expect((await experiments.put(`e${i}`, definition(group), now())).ok).toBe(true);
    expect(await experiments.put("e10", definition(group), now())).toMatchObject({
      error: { code: "conflict" },
    });
    expect((await experiments.list(now())).map(({ name }) => name)).toHaveLength(10);
    expect(await new Experiments(environment, "other").list(now())).toEqual([]);
  });
});

describe("a recommendation in an experiment", () => {
  it("has the conditions and pins of the user's variant, whose currency is decided too", async () => {
    const application = "conditions";
    const boosts = [{ when: 'product.title == "Product 9" && product.price < 5.0', add: 5 }];
    const parameters = { boosts, pins: [{ when: 'product.title == "Product 4"', position: 2 }] };
    const variants = [
      { name: "control", parameters },
      { name: "same", parameters },
    ];
    const put = await new Experiments(environment, application).put("all", definition({ variants }), now());
    expect(put).toMatchObject({ ok: true });
    const change = {
      ...environment,
      LOCATION: { ...services.LOCATION, filterCurrency: async () => ok("EUR") },
    };
    const answer = unwrap(await recommendForAnn(change, {}, application), "the worker");
    expect(answer.items.slice(0, 2).map(({ productId }) => productId)).toEqual(["p9", "p4"]);
    expect(answer.filter).toEqual({ currency: "EUR" });
  });

  it("has the user's variant, which stays, and whose parameters replace those of the request", async () => {
    const application = "served";
    const parameters = { candidates: 20 };
    await new Experiments(environment, application).put(
      "few",
      definition({ variants: [{ name: "control" }, { name: "few", parameters }] }),
      now(),
    );
    const seen = new Map<string, number>();
    for (let i = 0; i < 40; i++) {
      const answers = [];
      for (let k = 0; k < 2; k++)
        answers.push(
          unwrap(await recommendForAnn(environment, { userId: `user-${i}` }, application), "the worker"),
        );
      expect(answers[0].variant).toBe(answers[1].variant);
      const [, variant] = /^few:[0-9a-f]{8}\/(control|few)$/.exec(answers[0].variant) ?? [];
      seen.set(variant, (seen.get(variant) ?? 0) + 1);
    }
    expect(seen.get("few")).toBeGreaterThan(8);
    expect(seen.get("control")).toBeGreaterThan(8);
  });

  it("serves a scenario of the variant as it was, to requests that name the experiment's scenario", async () => {
    const application = "scenarios";
    const scenarios = new Scenarios(environment, application);
    const store = async (limit: number) => unwrap(await scenarios.put("lunch", { limit }, false, now()), "s");
    await store(4);
    await store(3);
    const input = definition({
      scenario: "lunch",
      variants: [{ name: "control" }, { name: "four", scenario: { name: "lunch", version: 1 } }],
    });
    const experiments = new Experiments(environment, application);
    const { variants } = unwrap(await experiments.put("length", input, now()), "experiments");
    expect(variants[1].scenario).toEqual({ name: "lunch", version: 1, settings: { limit: 4 } });
    const seen = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const request = { userId: `user-${i}`, scenario: "lunch", limit: undefined };
      const answer = unwrap(await recommendForAnn(environment, request, application), "the worker");
      seen.add(`${answer.variant.split("/")[1]} ${answer.items.length}`);
      const other = unwrap(
        await recommendForAnn(environment, { ...request, scenario: "home" }, application),
        "the worker",
      );
      expect([other.variant, other.items.length]).toEqual(["default", 10]);
    }
    expect([...seen].sort()).toEqual(["control 3", "four 4"]);
    // The request's own fields still win.
    const own = unwrap(
      await recommendForAnn(environment, { scenario: "lunch", limit: 2 }, application),
      "the worker",
    );
    expect(own.items).toHaveLength(2);
    // The same definition again changes nothing, also after the scenario has.
    await store(5);
    expect(await experiments.put("length", input, now() + 1)).toMatchObject({ ok: true });
    expect(await scenarios.remove("lunch", now())).toMatchObject({
      error: { code: "conflict", detail: expect.stringContaining("the experiment length") },
    });
    await experiments.delete("length");
    expect(await scenarios.remove("lunch", now())).toMatchObject({ ok: true });
  });

  it("refuses scenarios that do not exist, or that need a context which the requests do not have", async () => {
    const experiments = new Experiments(environment, "unknown");
    const put = (scenario: string, variant: object) =>
      experiments.put(
        "e",
        definition({ scenario, variants: [{ name: "control" }, { name: "b", scenario: variant }] }),
        now(),
      );
    for (const [scenario, variant, path] of [
      ["dinner", { name: "home" }, "scenario"],
      ["home", { name: "dinner" }, "variants.1.scenario"],
      ["home", { name: "email", version: 1 }, "variants.1.scenario"],
      ["home", { name: "cart" }, "variants.1.scenario"],
    ] as const)
      expect(await put(scenario, variant)).toMatchObject({
        error: { code: "invalid_input", issues: [{ path }] },
      });
    expect(await put("product-page", { name: "cart" })).toMatchObject({ ok: true });
    expect(() =>
      definition({ variants: [{ name: "a" }, { name: "b", scenario: { name: "home" } }] }),
    ).toThrow("must name the scenario of the requests");
    const other = definition({
      scenario: "cart",
      variants: [{ name: "a" }, { name: "b", scenario: { name: "product-page" } }],
    });
    expect(await experiments.put("f", other, now())).toMatchObject({ ok: true });
    const same = await experiments.put("g", other, now());
    expect(same).toMatchObject({ error: { detail: expect.stringContaining("sets `scenario` too") } });
  });

  it("goes on without experiments while the database is down", async () => {
    const answer = unwrap(await recommendForAnn({}, {}, "unreachable"), "the worker");
    expect(answer.variant).toBe("default");
    expect(answer.items).not.toEqual([]);
  });
});

describe("the results of an experiment", () => {
  it("count each user once, by the newest counts, and only while the experiment runs", async () => {
    const application = "counted";
    const experiments = new Experiments(environment, application);
    const { run } = unwrap(
      await experiments.put(
        "e",
        definition({ goal: "revenue", currency: "EUR", guardrails: ["diversity"] }),
        now(),
      ),
      "experiments",
    );
    await deliver(application, [
      [1, counts(run, "control")],
      [2, counts(run, "diverse", { revision: 2, revenue: { EUR: 5000, JPY: 9 } })],
      // An older message, a user of both variants, and an experiment that does not run.
      [2, counts(run, "diverse")],
      [3, counts(run, "control")],
      [3, counts(run, "diverse")],
      [4, counts("e:00000000", "control")],
    ]);
    const results = unwrap(await experiments.results("e", now()), "experiments");
    expect(results).toMatchObject({ name: "e", run, goal: "revenue", currency: "EUR", verdict: "too-early" });
    expect(results.crossedUsers).toBe(1);
    expect(results.variants.map(({ name, users, lists }) => [name, users, lists])).toEqual([
      ["control", 1, 3],
      ["diverse", 1, 3],
    ]);
    expect(results.variants.map(({ metrics }) => metrics.map(({ value }) => value))).toEqual([
      [12.5, 0.5],
      [50, 0.5],
    ]);
    await experiments.put(
      "e",
      definition({ goal: "revenue", currency: "EUR", guardrails: ["diversity"], endsAt: inSeconds(-1) }),
      now(),
    );
    await deliver(application, [[5, counts(run, "control")]]);
    expect(unwrap(await experiments.results("e", now() + 1), "experiments")).toMatchObject({
      status: "ended",
      variants: [{ users: 1 }, { users: 1 }],
    });
  });

  it("are summed up by the database as by the pure function", async () => {
    const table = new ExperimentUsersTable(database);
    const experiments = new Experiments(environment, "summed");
    const { run } = unwrap(await experiments.put("e", definition(), now()), "experiments");
    const users = Array.from({ length: 60 }, (_, i) => ({
      ...{
        pseudonym: pseudonym(i),
        experiment: run,
        arm: "control",
        exposures: 1 + (i % 7),
        successes: i % 3,
      },
      measures: {
        ...{ revision: 1, orders: i % 2, units: i, revenue: { EUR: i % 2 ? i * 321 : 0 } },
        ...{ diversity: i / 9, latencyMs: i * 1.5 },
      },
    }));
    await table.put("summed", users, now());
    const all = ["clickThrough", "conversion", "revenue", "diversity", "latency"] as const;
    const { variants } = await table.sums("summed", run, {
      ...{ variants: ["control", "diverse"], metrics: all, currency: "EUR" },
    });
    const expected = {
      clickThrough: metricOfUsers(users.map(({ exposures, successes }) => ({ y: successes, x: exposures }))),
      conversion: metricOfUsers(users.map(({ measures }) => ({ y: measures.orders > 0 ? 1 : 0, x: 1 }))),
      revenue: metricOfUsers(users.map(({ measures }) => ({ y: measures.revenue.EUR ?? 0, x: 1 }))),
      diversity: metricOfUsers(
        users.map(({ exposures, measures }) => ({ y: measures.diversity, x: exposures })),
      ),
      latency: metricOfUsers(
        users.map(({ exposures, measures }) => ({ y: measures.latencyMs, x: exposures })),
      ),
    };
    for (const metric of all)
      for (const [name, value] of Object.entries(expected[metric])) {
        const found = variants[0].metrics[metric]?.[name as "squares"] ?? Number.NaN;
        expect(Math.abs(found - value), `${metric}.${name}`).toBeLessThanOrEqual(1e-9 * Math.abs(value));
      }
  });

  it("lose a user who is erased, and are exported with the user's data", async () => {
    const experiments = new Experiments(environment, "erased");
    const { run } = unwrap(await experiments.put("e", definition(), now()), "experiments");
    const each = counts(run, "control");
    await deliver("erased", [[1, each]]);
    expect(await new ExperimentUsersTable(database).ofUser("erased", pseudonym(1))).toEqual([each]);
    expect(await new ExperimentCountsTable(database).eraseUsers("erased", [pseudonym(1)])).toBe(1);
    expect(unwrap(await experiments.results("e", now()), "experiments").variants[0].users).toBe(0);
  });
});
