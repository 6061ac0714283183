import { setTimeout as sleep } from "node:timers/promises";
import type { Parameters } from "../../model/network/parameters.ts";
import type { Season } from "../../model/simulate/ground-truth.ts";
import { loadMarketplace } from "../../scripts/marketplace/load-marketplace.ts";
import { bundledManifest } from "../../scripts/models/bundled-model.ts";
import type { ModelDetails } from "../../shared/contracts/model.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { pollUntil } from "../support/polling.ts";
import type { TestStack } from "../support/test-stack.ts";
import { uploadModel } from "../support/upload-model.ts";
import { trainingLines } from "./training-lines.ts";
import type { SimulatedVisit, UserPopulation } from "./user-population.ts";

/** Number of visits that run at the same time. */
const maxConcurrentVisits = 4;
/** Number of visits between two reads of the status of a rollout. */
const visitsPerPoll = 12;
/** Largest number of reads of the status of a rollout. */
const maxPolls = 60;
/** Time for which a complete log is unchanged: longer than the click window and the batch timeout of a queue together. */
const quietSeconds = 5;
/** Delay between two reads of the status of a rollout, and between two reads of the log. */
const rolloutPollMs = 500;
const logPollMs = 250;
/** Time limit of a recalibration, which trains a model and may take minutes on a busy machine. */
const recalibrationTimeoutSeconds = 400;

/** Result of a simulated day. */
export interface DayResult {
  visits: number;
  /** Expected purchases for each 100 recommended products. */
  per100: number;
  /** Number of visits by model version. */
  versions: Record<string, number>;
}

/** Result of a recalibration after a day; `seconds` is its duration. */
export interface NightResult {
  status: RecalibrationRecord["status"];
  version: string | null;
  reasons: string[];
  seconds: number;
}

/** Result of one visit. */
interface VisitResult {
  /** Expected number of purchases. */
  expected: number;
  /** Number of recommended products. */
  shown: number;
  version: string;
}

/** An application of the stack with simulated users, whose events depend on the recommendations that they get. */
export class SimulatedApplication {
  readonly application: string;
  readonly #stack: TestStack;
  readonly #key: string;
  readonly #population: UserPopulation;
  readonly #purchases: Map<string, Map<string, number>>;
  /** Version that the last recalibration registered, or that was uploaded, and whose rollout has not ended. */
  #candidateVersion: string | null = null;
  #events = 0;

  constructor(stack: TestStack, application: string, key: string, population: UserPopulation) {
    this.#stack = stack;
    this.application = application;
    this.#key = key;
    this.#population = population;
    this.#purchases = population.copyPurchases();
  }

  /** Imports the catalog and the past events of the users. */
  async importMarketplace(): Promise<void> {
    const target = { url: this.#stack.url.replace(/\/$/, ""), key: this.#key };
    const { products, events } = await loadMarketplace(this.#population.marketplace, target, () => undefined);
    const rejected = products.rejected + events.rejected;
    if (rejected > 0)
      throw new Error(
        `The import rejected ${rejected} rows; first error: ${JSON.stringify(events.errors[0])}`,
      );
  }

  /** Calls an endpoint with the key of this application. Returns the body; throws on a status of 300 or above. */
  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#stack.call<T>(method, path, { key: this.#key, body });
    if (response.status >= 300)
      throw new Error(
        `${method} ${path} failed with status ${response.status}: ${JSON.stringify(response.body)}`,
      );
    return response.body;
  }

  async #simulateVisit(visit: SimulatedVisit, season: Season, sendsEvents: boolean): Promise<VisitResult> {
    const { user, location } = visit;
    const body = { userId: user.id, location, limit: 10 };
    const answer = await this.#call<RecommendationAnswer>("POST", "/v1/recommendations", body);
    const list = answer.items.map(({ productId }) => productId);
    const bought = this.#purchases.get(user.id) ?? new Map<string, number>();
    const { expected, events: reactions } = this.#population.react(
      visit,
      list,
      Date.now() / 1000,
      season,
      bought,
    );
    const { recommendationId } = answer;
    const result = { expected, shown: list.length, version: answer.model.version };
    if (!sendsEvents) return result;
    const events = reactions.map((reaction) => ({
      ...reaction,
      eventId: `${this.application}-${this.#events++}`,
      userId: user.id,
      recommendationId,
      location,
    }));
    if (events.length > 0) await this.#call("POST", "/v1/events", { events });
    for (const { productId, type } of reactions)
      if (type === "purchase") bought.set(productId, (bought.get(productId) ?? 0) + 1);
    return result;
  }

  /**
   * Simulates the visits of a day. While the rollout of a candidate model runs, the visits come in small groups, and the cron
   * runs after each group. If `sendsEvents` is false, visits change nothing, so that another model can serve the same visits.
   */
  async simulateDay(
    visits: readonly SimulatedVisit[],
    season: Season,
    sendsEvents = true,
  ): Promise<DayResult> {
    let expected = 0;
    let shown = 0;
    let next = 0;
    const versions: Record<string, number> = {};
    /** Runs at most `maxVisits` visits. Returns the model versions that served them. */
    const runVisits = async (maxVisits: number): Promise<Set<string>> => {
      const end = Math.min(visits.length, next + maxVisits);
      const servedVersions = new Set<string>();
      const runNextVisits = async (): Promise<void> => {
        while (next < end) {
          const result = await this.#simulateVisit(visits[next++], season, sendsEvents);
          expected += result.expected;
          shown += result.shown;
          versions[result.version] = (versions[result.version] ?? 0) + 1;
          servedVersions.add(result.version);
        }
      };
      await Promise.all(Array.from({ length: maxConcurrentVisits }, runNextVisits));
      return servedVersions;
    };
    for (let poll = 0; this.#candidateVersion !== null && poll < maxPolls && next < visits.length; poll++) {
      const servedVersions = await runVisits(visitsPerPoll);
      await this.#stack.runCron();
      const { status } = await this.details(this.#candidateVersion);
      const isOver =
        status === "serving"
          ? [...servedVersions].join() === this.#candidateVersion
          : !rolloutStatuses.has(status);
      if (isOver) break;
      await sleep(rolloutPollMs);
    }
    this.#candidateVersion = null;
    await runVisits(visits.length);
    return { visits: visits.length, per100: (100 * expected) / shown, versions };
  }

  /** Uploads a model and promotes it, so that it serves without a rollout. */
  async serveModel(version: string, weights: Parameters): Promise<void> {
    const { firstStage } = bundledManifest();
    const { status } = await uploadModel(this.#stack, version, weights, this.#key, firstStage);
    if (status !== "serving") await this.#call("POST", `/v1/models/${version}/promote`);
    this.#candidateVersion = version;
  }

  /** Returns the details of a model version. */
  details(version: string): Promise<ModelDetails> {
    return this.#call<ModelDetails>("GET", `/v1/models/${version}`);
  }

  /** Waits until the click windows of the day have closed and the training log has all of its examples. */
  async #waitForLog(): Promise<void> {
    const log = await this.#stack.binding("trainer", "TRAINING_LOG");
    let lastLength = -1;
    let unchangedSince = Date.now();
    while (Date.now() - unchangedSince < quietSeconds * 1000) {
      let length = 0;
      for await (const lines of trainingLines(log, this.application)) length += lines.length;
      if (length !== lastLength) unchangedSince = Date.now();
      lastLength = length;
      await sleep(logPollMs);
    }
  }

  /** Recalibrates the model on the log. A candidate that passes the gate is rolled out during the next day. */
  async recalibrate(): Promise<NightResult> {
    await this.#waitForLog();
    const started = Date.now();
    const { id } = await this.#call<RecalibrationRecord>("POST", "/v1/recalibrations", {});
    const record = await pollUntil(
      () => this.#call<RecalibrationRecord>("GET", `/v1/recalibrations/${id}`),
      ({ status }) => status !== "queued" && status !== "running",
      recalibrationTimeoutSeconds,
    );
    const { status, version, reasons } = record;
    this.#candidateVersion = status === "registered" ? version : null;
    return { status, version, reasons, seconds: Math.round((Date.now() - started) / 1000) };
  }
}

/** Statuses of a model whose rollout has not ended. */
const rolloutStatuses: ReadonlySet<string> = new Set(["registered", "shadow", "canary"]);
