/// <reference types="@cloudflare/vitest-plugin/types" />
import {
  applyD1Migrations,
  createExecutionContext,
  createMessageBatch,
  type D1Migration,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Cell } from "../../durable-objects/cell/cell.ts";
import type { UserSession } from "../../durable-objects/user-session/user-session.ts";
import { CallCounter, type CallReport } from "../../shared/testing/platform/call-counter.ts";
import { queueOf } from "../../shared/testing/queue-of.ts";
import { createApp } from "../../workers/gateway/app.ts";
import { KeyCopies } from "../../workers/gateway/keys/key-copies.ts";
import { defaultMinBodyRate } from "../../workers/gateway/request/body-chunks.ts";
import { runScheduled } from "../../workers/gateway/scheduled/run-scheduled.ts";
import { gatewayServices } from "../../workers/gateway/services.ts";
import { gatewaySettingsOf } from "../../workers/gateway/settings.ts";
import { GatewayStore } from "../../workers/gateway/store.ts";
import { LocationService } from "../../workers/location/service.ts";
import { consumeCatalog } from "../../workers/product/catalog-consumer.ts";
import { ProductService } from "../../workers/product/service.ts";
import { consumeAndConfirm } from "../../workers/recommendation/ingest/queue.ts";
import { RecommendationService } from "../../workers/recommendation/service.ts";
import { TrainerService } from "../../workers/trainer/service.ts";
import { UserService } from "../../workers/user/service.ts";

type Databases = Record<
  "GATEWAY_DB" | "RECOMMENDATION_DB" | "USER_DB" | "PRODUCT_DB" | "LOCATION_DB" | "TRAINER_DB",
  D1Database
>;
interface Bindings extends Databases {
  CELL: DurableObjectNamespace<Cell>;
  USER_SESSION: DurableObjectNamespace<UserSession>;
  TILES: KVNamespace;
  CARDS: KVNamespace;
  KEYS: KVNamespace;
  TRAINING_LOG: R2Bucket;
  DEAD_LETTERS: R2Bucket;
  MODELS: R2Bucket;
  IMAGES: R2Bucket;
  PSEUDONYM_SECRET: string;
  BATCH_SIZES: string;
}
export const bindings = env as unknown as Bindings;

const batchSizes: Record<string, number> = JSON.parse(bindings.BATCH_SIZES);

export const counter = new CallCounter();
const marker = "a-marker-for-tests-of-at-least-32-characters";

/** Messages that were sent and not delivered, by queue. */
class SentMessages {
  readonly #waiting = new Map<string, unknown[]>();

  queue(name: string): Queue {
    // A real queue serializes the body too.
    return queueOf(async (body) => void this.waiting(name).push(structuredClone(body)));
  }

  waiting(name: string): unknown[] {
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, waiting);
    return waiting;
  }
}
export const sentMessages = new SentMessages();

const noLimit = { limit: async () => ({ success: true }) };
/** Ids of the instances of the Workflow that were created. */
export const createdInstances: string[] = [];

/** Returns the environment of each worker in one request, with counted bindings, and what waits for the background. */
function environments() {
  const contexts: ExecutionContext[] = [];
  const context = () => {
    const created = createExecutionContext();
    contexts.push(created);
    return created;
  };
  const counted = {
    cells: counter.objects("CELL", bindings.CELL),
    sessions: counter.objects("USER_SESSION", bindings.USER_SESSION),
    tiles: counter.store("kv", "TILES", bindings.TILES),
    log: counter.store("bucket", "TRAINING_LOG", bindings.TRAINING_LOG),
    deadLetters: counter.store("bucket", "DEAD_LETTERS", bindings.DEAD_LETTERS),
    queue: (name: string) => counter.store("queue", name, sentMessages.queue(name)),
    database: (name: keyof Databases) => counter.database(name, bindings[name]),
  };
  const LOCATION = counter.service(
    "location",
    new LocationService(context(), {
      DB: counted.database("LOCATION_DB"),
      TILES: counted.tiles,
      CELL: counted.cells,
      MIN_USERS_SHOWN: "5",
    } as unknown as LocationEnv),
  );
  const USER = counter.service(
    "user",
    new UserService(context(), {
      DB: counted.database("USER_DB"),
      DEFAULT_CONSENT: "exact",
    } as unknown as UserEnv),
  );
  const productEnv = {
    DB: counted.database("PRODUCT_DB"),
    CARDS: counter.store("kv", "CARDS", bindings.CARDS),
    IMAGES: counter.store("bucket", "IMAGES", bindings.IMAGES),
    CATALOGUE: counted.queue("vicinity-catalogue"),
    LOCATION,
  } as unknown as ProductEnv;
  const PRODUCT = counter.service("product", new ProductService(context(), productEnv));
  const recommendationEnv = {
    ...{ USER, PRODUCT, LOCATION, USER_SESSION: counted.sessions },
    ...{ TRAINING_LOG: counted.log, DEAD_LETTERS: counted.deadLetters },
    DB: counted.database("RECOMMENDATION_DB"),
    MODELS: counter.store("bucket", "MODELS", bindings.MODELS),
    INTERACTIONS: counted.queue("vicinity-interactions"),
    LOCATIONS: counted.queue("vicinity-locations"),
    PSEUDONYM_SECRET: bindings.PSEUDONYM_SECRET,
    DEFAULT_CONSENT: "exact",
    LAST_LOCATION_HOURS: "12",
    ROLLOUT: "{}",
    COUNTING: "{}",
  } as unknown as RecommendationEnv;
  const RECOMMENDATION = counter.service(
    "recommendation",
    new RecommendationService(context(), recommendationEnv),
  );
  const instance = { status: async () => ({ status: "running" }) };
  const RECALIBRATION_WORKFLOW = counter.store("workflow", "RECALIBRATION_WORKFLOW", {
    create: async ({ id }: { id: string }) => createdInstances.push(id),
    get: async () => instance,
  });
  const EVALUATION_WORKFLOW = counter.store("workflow", "EVALUATION_WORKFLOW", {
    create: async ({ id }: { id: string }) => createdInstances.push(id),
    get: async () => instance,
  });
  const trainerEnv = {
    ...{ RECOMMENDATION, USER, TRAINING_LOG: counted.log, RECALIBRATION_WORKFLOW, EVALUATION_WORKFLOW },
    RECALIBRATION: "",
    DB: counted.database("TRAINER_DB"),
  } as unknown as TrainerEnv;
  const gatewayEnv = {
    ...{ RECOMMENDATION, USER, PRODUCT, LOCATION },
    TRAINER: counter.service("trainer", new TrainerService(context(), trainerEnv)),
    DB: counted.database("GATEWAY_DB"),
    KEYS: counter.store("kv", "KEYS", bindings.KEYS),
    DEVELOPMENT_KEYS: marker,
    DEFAULT_CONSENT: "exact",
    MIN_USERS_SHOWN: "5",
    TOKEN_SECRET: "a-secret-for-tests-of-at-least-32-characters",
  } as unknown as GatewayEnv;
  const background = async () => {
    for (const each of contexts) await waitOnExecutionContext(each);
  };
  return { gatewayEnv, recommendationEnv, productEnv, trainerEnv, background };
}

/** Returns the services that users' objects call. */
export const servicesOfObjects = (): Pick<UserSessionEnv, "USER" | "LOCATION" | "DB"> => {
  const { USER, LOCATION, DB } = environments().recommendationEnv;
  return { USER, LOCATION, DB } as Pick<UserSessionEnv, "USER" | "LOCATION" | "DB">;
};

/** The environment of the present request, which the gateway's bindings lead to: an isolate has one application. */
let present = environments();
const gatewayEnv = new Proxy({} as GatewayEnv, {
  get: (_, name) => Reflect.get(present.gatewayEnv, name),
});
const presentService = (name: "RECOMMENDATION" | "USER" | "PRODUCT" | "LOCATION" | "TRAINER") =>
  new Proxy({} as never, {
    get: (_, method) => Reflect.get(present.gatewayEnv[name], method),
  });
const services = gatewayServices({
  RECOMMENDATION: presentService("RECOMMENDATION"),
  USER: presentService("USER"),
  PRODUCT: presentService("PRODUCT"),
  LOCATION: presentService("LOCATION"),
  TRAINER: presentService("TRAINER"),
} as unknown as GatewayEnv);

/** Returns a gateway, as a new isolate has it. */
function newGateway() {
  const pending: Promise<unknown>[] = [];
  const app = createApp({
    services,
    store: new GatewayStore(gatewayEnv.DB),
    copies: new KeyCopies(gatewayEnv.KEYS),
    settings: gatewaySettingsOf(present.gatewayEnv),
    ...{ limiter: noLimit, applicationLimiter: noLimit, addressLimiter: noLimit, failureLimiter: noLimit },
    sessionLimiters: { address: noLimit, network: noLimit },
    minBodyRate: defaultMinBodyRate,
    meter: { record: () => undefined },
    pages: { fetch: async () => new Response(null, { status: 404 }) },
    now: Date.now,
    runInBackground: (work) => pending.push(work.catch(() => undefined)),
  });
  return { app, pending };
}

/** All workers, with their own stores and with counted calls; the gateway is one isolate. */
export class AllWorkers {
  readonly #gateway = newGateway();

  /** Migrates the databases. */
  static async prepare(): Promise<void> {
    for (const name of ["GATEWAY", "RECOMMENDATION", "USER", "PRODUCT", "LOCATION", "TRAINER"] as const)
      await applyD1Migrations(
        bindings[`${name}_DB`],
        (env as unknown as Record<string, D1Migration[]>)[`${name}_MIGRATIONS`],
      );
    await bindings.GATEWAY_DB.prepare("INSERT OR IGNORE INTO development_markers VALUES (?)")
      .bind(marker)
      .run();
  }

  /**
   * Sends a request to the API. Returns the response with its body, the report of its calls, and a function that waits for
   * the background.
   */
  async call(
    method: string,
    path: string,
    { key = "dev-admin-key", body, lines }: { key?: string; body?: unknown; lines?: readonly unknown[] } = {},
  ): Promise<{ status: number; body: unknown; report: CallReport; background: () => Promise<void> }> {
    present = environments();
    const { background } = present;
    const bodyText = body === undefined ? undefined : JSON.stringify(body);
    const type = lines ? "application/x-ndjson" : "application/json";
    const { answer, report } = await counter.run("gateway", `${method} ${path}`, () =>
      this.#gateway.app.request(path, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": type },
        body: lines ? lines.map((line) => JSON.stringify(line)).join("\n") : bodyText,
      }),
    );
    const text = await answer.text();
    return {
      status: answer.status,
      body: text === "" ? null : JSON.parse(text),
      report,
      background: async () => {
        await background();
        await Promise.all(this.#gateway.pending.splice(0));
      },
    };
  }

  /** Runs a cron trigger of the gateway, and returns the report of its calls. */
  async runCron(cron: string, scheduledTime: number): Promise<CallReport> {
    present = environments();
    const { background } = present;
    const { report } = await counter.run("gateway", `cron ${cron}`, () =>
      runScheduled(cron, present.gatewayEnv, scheduledTime),
    );
    await background();
    return report;
  }

  /** Delivers the messages of a queue in the largest batches, and returns the report of each batch. */
  async deliver(
    queue: "vicinity-interactions" | "vicinity-locations" | "vicinity-catalogue",
  ): Promise<CallReport[]> {
    const batchSize = batchSizes[queue];
    const reports: CallReport[] = [];
    const waiting = sentMessages.waiting(queue);
    for (let i = 0; waiting.length > 0; i++) {
      const messages = waiting
        .splice(0, batchSize)
        .map((body, k) => ({ id: `${queue}-${i}-${k}`, timestamp: new Date(), attempts: 1, body }));
      const batch = createMessageBatch(queue, messages);
      const { recommendationEnv, productEnv, background } = environments();
      const isOfProducts = queue === "vicinity-catalogue";
      const { report } = await counter.run(isOfProducts ? "product" : "recommendation", queue, () =>
        isOfProducts ? consumeCatalog(batch, productEnv) : consumeAndConfirm(batch, recommendationEnv),
      );
      await background();
      const { retryMessages } = await getQueueResult(batch, createExecutionContext());
      const retried = new Set(retryMessages.map(({ msgId }) => msgId));
      waiting.push(...messages.filter(({ id }) => retried.has(id)).map(({ body }) => body));
      reports.push(report);
    }
    return reports;
  }
}
