import type { Parameters } from "../../model/network/parameters.ts";
import type { Season } from "../../model/simulate/ground-truth.ts";
import { loadMarketplace } from "../../scripts/marketplace/load-marketplace.ts";
import { bundledManifest } from "../../scripts/models/bundled-model.ts";
import type { ModelDetails } from "../../shared/contracts/model.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { logRoot } from "../../shared/training-log/keys.ts";
import { pollUntil } from "../polling.ts";
import type { TestStack } from "../test-stack.ts";
import { uploadModel } from "../upload-model.ts";
import type { SimulatedVisit, UserPopulation } from "./user-population.ts";

/** Visitors at once. */
const maxConcurrentVisits = 4;
/** Visitors between two looks at a roll-out, and how many looks it may take. */
const visitsPerPoll = 12;
const maxPolls = 60;
/** Seconds that the log must be unchanged to be complete: longer than the click window and a queue's wait together. */
const quietSeconds = 5;
/** A recalibration trains, on a machine that may be busy. */
const timeoutSeconds = 400;

/** How a day went. */
export interface DayResult {
  visits: number;
  /** Purchases to be expected of 100 products that were recommended. */
  per100: number;
  /** Versions that answered, with their shares of the visits. */
  versions: Record<string, number>;
}

/** How a night went. */
export interface NightResult {
  status: RecalibrationRecord["status"];
  version: string | null;
  reasons: string[];
  seconds: number;
}

/** What a visitor was shown. */
interface VisitResult {
  expected: number;
  shown: number;
  version: string;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One application in which the crowd lives: what it is shown there decides what it does there. */
export class SimulatedApplication {
  readonly application: string;
  readonly #stack: TestStack;
  readonly #key: string;
  readonly #population: UserPopulation;
  readonly #purchases: Map<string, Map<string, number>>;
  /** Of the night before: on its way into service. */
  #candidateVersion: string | null = null;
  #events = 0;

  constructor(stack: TestStack, application: string, key: string, crowd: UserPopulation) {
    this.#stack = stack;
    this.application = application;
    this.#key = key;
    this.#population = crowd;
    this.#purchases = crowd.copyPurchases();
  }

  /** Brings the catalogue and what people did before. */
  async importMarketplace(): Promise<void> {
    const target = { url: this.#stack.url.replace(/\/$/, ""), key: this.#key };
    const { products, events } = await loadMarketplace(this.#population.marketplace, target, () => undefined);
    const rejected = products.rejected + events.rejected;
    if (rejected > 0) throw new Error(`${rejected} rows were refused: ${JSON.stringify(events.errors[0])}`);
  }

  /** A call as this application. */
  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#stack.call<T>(method, path, { key: this.#key, body });
    if (response.status >= 300)
      throw new Error(`${path}: ${response.status} ${JSON.stringify(response.body)}`);
    return response.body;
  }

  async #simulateVisit(visit: SimulatedVisit, season: Season, acts: boolean): Promise<VisitResult> {
    const { user, location: at } = visit;
    const question = { userId: user.id, location: at, limit: 10 };
    const answer = await this.#call<RecommendationAnswer>("POST", "/v1/recommendations", question);
    const list = answer.items.map(({ productId }) => productId);
    const bought = this.#purchases.get(user.id) ?? new Map<string, number>();
    const { expected, deeds } = this.#population.react(visit, list, Date.now() / 1000, season, bought);
    const { recommendationId } = answer;
    const met = { expected, shown: list.length, version: answer.model.version };
    if (!acts) return met;
    const events = deeds.map((deed) => ({
      ...deed,
      eventId: `${this.application}-${this.#events++}`,
      userId: user.id,
      recommendationId,
      location: at,
    }));
    if (events.length > 0) await this.#call("POST", "/v1/events", { events });
    for (const { productId, type } of deeds)
      if (type === "purchase") bought.set(productId, (bought.get(productId) ?? 0) + 1);
    return met;
  }

  /**
   * A day of visits. Its first ones are few at a time until what the night brought is in service, or is not to be. Visitors
   * who do not act leave the world as it is, so that another model may be asked the same there.
   */
  async simulateDay(visits: readonly SimulatedVisit[], season: Season, acts = true): Promise<DayResult> {
    let expected = 0;
    let shown = 0;
    let next = 0;
    const versions: Record<string, number> = {};
    /** Receives up to so many; of a person one visit after the other. */
    const receive = async (most: number): Promise<Set<string>> => {
      const end = Math.min(visits.length, next + most);
      const answered = new Set<string>();
      const lane = async (): Promise<void> => {
        while (next < end) {
          const met = await this.#simulateVisit(visits[next++], season, acts);
          expected += met.expected;
          shown += met.shown;
          versions[met.version] = (versions[met.version] ?? 0) + 1;
          answered.add(met.version);
        }
      };
      await Promise.all(Array.from({ length: maxConcurrentVisits }, lane));
      return answered;
    };
    for (let look = 0; this.#candidateVersion !== null && look < maxPolls && next < visits.length; look++) {
      const answered = await receive(visitsPerPoll);
      await this.#stack.runCron();
      const { status } = await this.details(this.#candidateVersion);
      const over =
        status === "serving" ? [...answered].join() === this.#candidateVersion : !rolloutStatuses.has(status);
      if (over) break;
      await sleep(500);
    }
    this.#candidateVersion = null;
    await receive(visits.length);
    return { visits: visits.length, per100: (100 * expected) / shown, versions };
  }

  /** Brings a model by hand and has it serve at once. */
  async serveModel(version: string, weights: Parameters): Promise<void> {
    const { firstStage } = bundledManifest();
    const { status } = await uploadModel(this.#stack, version, weights, this.#key, firstStage);
    if (status !== "serving") await this.#call("POST", `/v1/models/${version}/promote`);
    this.#candidateVersion = version;
  }

  details(version: string): Promise<ModelDetails> {
    return this.#call<ModelDetails>("GET", `/v1/models/${version}`);
  }

  /** Waits until the windows of the day are closed and all that came of it lies in the log. */
  async #waitForLog(): Promise<void> {
    const log = await this.#stack.binding("trainer", "TRAINING_LOG");
    let known = -1;
    let since = Date.now();
    while (Date.now() - since < quietSeconds * 1000) {
      const { length } = await listLogKeys(log, this.application);
      if (length !== known) since = Date.now();
      known = length;
      await sleep(250);
    }
  }

  /** Learns from all that happened. What passes its gate goes its way by itself on the next day. */
  async recalibrate(): Promise<NightResult> {
    await this.#waitForLog();
    const started = Date.now();
    const { id } = await this.#call<RecalibrationRecord>("POST", "/v1/recalibrations", {});
    const record = await pollUntil(
      () => this.#call<RecalibrationRecord>("GET", `/v1/recalibrations/${id}`),
      ({ status }) => status !== "queued" && status !== "running",
      timeoutSeconds,
    );
    const { status, version, reasons } = record;
    this.#candidateVersion = status === "registered" ? version : null;
    return { status, version, reasons, seconds: Math.round((Date.now() - started) / 1000) };
  }
}

const rolloutStatuses: ReadonlySet<string> = new Set(["registered", "shadow", "canary"]);

/** What is asked of the bucket of the log. */
interface ListableBucket {
  list(options: { prefix: string; cursor?: string }): Promise<{
    objects: { key: string }[];
    truncated: boolean;
    cursor?: string;
  }>;
}

/** Names of all objects of an application's log. */
export async function listLogKeys(log: ListableBucket, application: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await log.list({ prefix: logRoot(application), cursor });
    keys.push(...page.objects.map(({ key }) => key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return keys;
}
