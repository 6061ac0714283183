import { describe, expect, it } from "vitest";
import { resourcesOf } from "../account/resources.ts";
import { testEnvironment } from "../testing/deploy-to.ts";
import { configuredWorkers } from "./configured-workers.ts";
import { boundWorkers, inDeploymentOrder } from "./deployment-order.ts";
import { type Environment, environmentNames, parseEnvironment, readEnvironment } from "./environment.ts";
import { configurationFor } from "./worker-configuration.ts";

const environments = environmentNames().map(readEnvironment);

/** Returns the names of everything that an environment has in an account. */
function namesIn(environment: Environment): string[] {
  const workers = configuredWorkers(environment);
  const { databases, namespaces, buckets, queues } = resourcesOf(workers, environment);
  return [
    ...workers.flatMap(({ configuration: { name, workflows, ratelimits, analytics_engine_datasets } }) => [
      `worker ${name}`,
      ...(workflows ?? []).map((each) => `workflow ${each.name}`),
      ...(ratelimits ?? []).map((each) => `rate limit ${each.namespace_id}`),
      ...(analytics_engine_datasets ?? []).map((each) => `dataset ${each.dataset}`),
    ]),
    ...databases.map((each) => `database ${each.name}`),
    ...[...namespaces, ...buckets, ...queues].map((each) => `store ${each}`),
  ];
}

describe("environments", () => {
  it("share nothing in an account, so that staging cannot harm production", () => {
    expect(environmentNames()).toEqual(["production", "staging"]);
    const names = environments.flatMap(namesIn);
    expect(new Set(names).size).toBe(names.length);
    expect(namesIn(readEnvironment("staging"))).toContain("worker vicinity-gateway-staging");
    // The names of the first deployments, which had no environments.
    expect(namesIn(readEnvironment("production"))).toContain("store vicinity-location-tiles");
  });

  it.each(environments)("bind only what belongs to them ($name)", (environment) => {
    const workers = configuredWorkers(environment);
    const names = workers.map(({ configuration }) => configuration.name);
    for (const { configuration } of workers)
      for (const bound of boundWorkers(configuration)) expect(names).toContain(bound);
    const { queues } = resourcesOf(workers, environment);
    expect(queues.every((queue) => queue.endsWith(environment.suffix))).toBe(true);
    expect(new Set(queues).size).toBe(queues.length);
  });

  it("give a public address to the gateway only, and to no version before it is deployed", () => {
    for (const environment of environments)
      for (const { name, configuration } of configuredWorkers(environment)) {
        expect(configuration.workers_dev, name).toBe(name === "gateway");
        expect(configuration.preview_urls, name).toBe(false);
      }
    // Also where somebody deploys a wrangler.toml without this command.
    for (const { name, raw } of configuredWorkers(environments[0])) {
      expect(raw.preview_urls, name).toBe(false);
      if (name !== "gateway") expect(raw.workers_dev, name).toBe(false);
    }
  });

  it("set routes, placement and variables by configuration", () => {
    const environment = testEnvironment({
      gateway: { workers_dev: false, routes: [{ pattern: "api.example.com", custom_domain: true }] },
      workers: {
        user: { placement: { mode: "smart" } },
        gateway: { vars: { CORS_ORIGINS: "https://www.example.com" } },
      },
    });
    const found = Object.fromEntries(
      configuredWorkers(environment).map(({ name, configuration }) => [name, configuration]),
    );
    expect(found.user.placement).toEqual({ mode: "smart" });
    expect(found.location.placement).toBeUndefined();
    expect(found.gateway).toMatchObject({
      workers_dev: false,
      routes: [{ pattern: "api.example.com", custom_domain: true }],
      vars: { CORS_ORIGINS: "https://www.example.com", MIN_USERS_SHOWN: "5" },
    });
  });

  it("restrict objects, buckets and Workflows to a jurisdiction", () => {
    const workers = configuredWorkers(testEnvironment({ jurisdiction: "eu" }));
    const configurations = workers.map(({ configuration }) => configuration);
    const buckets = configurations.flatMap(({ r2_buckets }) => r2_buckets ?? []);
    expect(buckets.length).toBeGreaterThan(3);
    expect(buckets.every(({ jurisdiction }) => jurisdiction === "eu")).toBe(true);
    expect(configurations.flatMap(({ workflows }) => workflows ?? [])).toMatchObject([
      { jurisdiction: "eu" },
      { jurisdiction: "eu" },
    ]);
    for (const { vars, durable_objects } of configurations)
      expect(vars?.JURISDICTION).toBe(durable_objects?.bindings?.length ? "eu" : undefined);
    for (const { configuration } of configuredWorkers(testEnvironment()))
      expect(JSON.stringify(configuration).toLowerCase()).not.toContain("jurisdiction");
  });

  it("are refused with the name of the wrong setting", () => {
    const right = { suffix: "", application: "shop", rate_limit_offset: 0, gateway: { workers_dev: true } };
    const rollout = { steps: [100], pause_seconds: 0 };
    for (const [change, message] of [
      [{ rollout: { ...rollout, steps: [50, 25, 100] } }, "rollout.steps"],
      [{ rollout: { ...rollout, steps: [5] } }, "must grow and end with 100"],
      [{ rollout, suffix: "staging" }, "suffix"],
      [{ rollout, jurisdiction: "de" }, "jurisdiction"],
      [{ rollout, jurisdiction: "eu", location: "weur" }, "not both"],
      [{ rollout, smoke: true }, "smoke"],
    ] as const)
      expect(() => parseEnvironment("wrong", { ...right, ...change })).toThrow(message);
    expect(() => readEnvironment("nowhere")).toThrow("environments/ has production, staging");
  });
});

describe("the order of deployment", () => {
  it("has every worker after those that it binds", () => {
    const workers = configuredWorkers(testEnvironment());
    const names = workers.map(({ configuration }) => configuration.name);
    for (const { configuration } of workers)
      for (const bound of boundWorkers(configuration))
        expect(names.indexOf(bound)).toBeLessThan(names.indexOf(configuration.name));
    expect(names.at(-1)).toBe("vicinity-gateway-testing");
  });

  it("does not exist where workers bind each other in a circle, or bind a stranger", () => {
    const worker = (name: string, ...services: string[]) => ({
      configuration: { name, services: services.map((service) => ({ binding: service, service })) },
    });
    expect(() => inDeploymentOrder([worker("a", "b"), worker("b", "c"), worker("c", "b")])).toThrow(
      "b → c → b",
    );
    expect(() => inDeploymentOrder([worker("a", "b")])).toThrow('"b"');
  });
});

describe("classes that moved to another worker", () => {
  const raw = {
    name: "vicinity-cell",
    migrations: [{ tag: "v1", new_sqlite_classes: ["Cell", "Other"] }],
  };
  const ids = { databases: new Map(), namespaces: new Map() };

  it("are taken over from the worker that has their objects, and begin empty elsewhere", () => {
    const environment = testEnvironment();
    const transfer = { className: "Cell", to: "cell", from: "location" };
    expect(configurationFor({ name: "cell" }, raw, environment, ids).migrations).toEqual(raw.migrations);
    expect(configurationFor({ name: "cell" }, raw, environment, ids, [transfer]).migrations).toEqual([
      {
        tag: "v1",
        new_sqlite_classes: ["Other"],
        transferred_classes: [{ from: "Cell", from_script: "vicinity-location-testing", to: "Cell" }],
      },
    ]);
  });
});
