import { Account } from "../account/account.ts";
import { type Environment, parseEnvironment } from "../configuration/environment.ts";
import { planLines } from "../plan/plan-lines.ts";
import { type SecretSources, secretValues } from "../plan/secret-values.ts";
import { preparePlan } from "../prepare-plan.ts";
import type { SmokeParts } from "../rollout/smoke-test.ts";
import { runPlan } from "../run-plan.ts";
import type { FakeAccount } from "./fake-account.ts";

/** Environments of tests: as production and staging, but with names that no test writes to a real account. */
export const testEnvironment = (changes: object = {}): Environment =>
  parseEnvironment("testing", {
    suffix: "-testing",
    application: "shop",
    rate_limit_offset: 20_000,
    gateway: { workers_dev: true },
    rollout: { steps: [5, 25, 100], pause_seconds: 60 },
    ...changes,
  });

/** A gateway that answers as a healthy one does, and counts requests by their path. */
export function healthyGateway() {
  const requests: { path: string; override: string | null }[] = [];
  const answers: Record<string, unknown> = {
    "/healthz": { status: "ok" },
    "/readyz": { status: "ready" },
    "/v1/recommendations": { items: [] },
  };
  const gateway = {
    requests,
    slept: 0,
    /** Called before each answer; a status other than null replaces the answer. */
    fail: (_path: string): number | null => null,
    fetch: (async (url: URL, init: RequestInit) => {
      const path = url.pathname;
      const headers = new Headers(init.headers);
      requests.push({ path, override: headers.get("Cloudflare-Workers-Version-Overrides") });
      const status = gateway.fail(path);
      return status === null ? Response.json(answers[path]) : new Response("broken", { status });
    }) as unknown as SmokeParts["fetch"],
    sleep: async (ms: number) => {
      gateway.slept += ms;
    },
  };
  return gateway;
}

/** What a test's deployment may set. */
export interface DeployOptions {
  environment?: Environment;
  gateway?: ReturnType<typeof healthyGateway>;
  label?: string;
  secrets?: Partial<SecretSources>;
  takeOver?: boolean;
  replacedSecrets?: string[];
}

const silentTask = { update: () => undefined, done: () => undefined };

/** Plans a deployment to a fake account. Returns the printed plan and what it is made of. */
export async function planFor(
  fake: FakeAccount,
  { environment = testEnvironment(), replacedSecrets }: DeployOptions = {},
) {
  const prepared = await preparePlan(new Account(fake.run), environment, () => silentTask, replacedSecrets);
  return { prepared, lines: planLines(prepared.plan, environment) };
}

/** Deploys to a fake account. Returns the address of the gateway and the lines of its tasks. */
export async function deployTo(fake: FakeAccount, options: DeployOptions = {}) {
  const {
    environment = testEnvironment(),
    gateway = healthyGateway(),
    label = "vicinity 1.0.0",
    takeOver = false,
  } = options;
  const { prepared } = await planFor(fake, options);
  const secrets = await secretValues(prepared.plan.secrets, {
    file: undefined,
    given: {},
    ask: null,
    random: () => "0123456789abcdef".repeat(4),
    ...options.secrets,
  });
  const tasks: string[] = [];
  const url = await runPlan(
    prepared,
    {
      account: new Account(fake.run),
      begin: (name) => ({
        update: () => undefined,
        done: (detail = "") => void tasks.push(`${name}: ${detail}`),
      }),
      now: () => Date.parse("2026-01-31T12:00:00Z") / 1000,
      smoke: gateway,
      label,
      takeOver,
    },
    secrets,
  );
  return { url, tasks, environment };
}
