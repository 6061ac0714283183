import type { Coarsening } from "../contracts/coarsening.ts";
import type { Erasure } from "../contracts/erasure.ts";
import type { EventInput, EventReceipt, EventWarning, RejectedEvent } from "../contracts/event.ts";
import type { Experiment, ExperimentInput, ExperimentResults } from "../contracts/experiment.ts";
import type { ExportItem } from "../contracts/export.ts";
import type { EdgeLocation } from "../contracts/location.ts";
import type { Merge } from "../contracts/merge.ts";
import type { ModelDetails, ModelManifest, ModelOrigin, ModelRecord } from "../contracts/model.ts";
import type { Page, PageQuery } from "../contracts/page.ts";
import type { Point } from "../contracts/primitives.ts";
import type { RebuildStep } from "../contracts/rebuild.ts";
import type { RecommendationReceipt, Replay } from "../contracts/receipt.ts";
import type {
  ProductListQuery,
  RecommendationAnswer,
  RecommendationInput,
  RecommendationList,
} from "../contracts/recommendation.ts";
import type { RecommendationBatch, RecommendationBatchInput } from "../contracts/recommendation-batch.ts";
import type { Requester } from "../contracts/requester.ts";
import type { Result } from "../contracts/result.ts";
import type { Scenario, ScenarioDetails, ScenarioSettings } from "../contracts/scenario.ts";
import type { LocationInput, LocationOutcome } from "../contracts/user.ts";
import type { Language } from "../language/languages.ts";
import type { DeadLetterApi } from "./dead-letter-api.ts";
import type { UserSettings } from "./user-api.ts";
import type { ReadinessApi, RetentionApi } from "./worker-api.ts";

/** What happened to the events of one call of `ingestHistory`. */
export interface HistoryReport {
  accepted: number;
  duplicates: number;
  rejected: RejectedEvent[];
  /** Locations that are not believed, and times that count as now; absent if there are none. */
  warnings?: EventWarning[];
}

/** RPC interface of the recommendation worker: ranking, ingest, erasure and export, and the model registry. */
export interface RecommendationApi extends ReadinessApi, RetentionApi, DeadLetterApi {
  /**
   * Returns recommendations for a user. `edge` is used if the input has no location and the user's last one is unknown.
   * `language` is that of the explanations; English if absent.
   */
  recommend(
    application: string,
    input: RecommendationInput,
    edge: EdgeLocation,
    requester: Requester,
    language?: Language,
  ): Promise<Result<RecommendationAnswer>>;
  /**
   * Returns the lists of at most 100 users. A user whose list is refused has an error; refuses only what is wrong for all.
   */
  recommendBatch(
    application: string,
    input: RecommendationBatchInput,
    requester: Requester,
  ): Promise<Result<RecommendationBatch>>;
  /**
   * Returns products that users chose after a product, and nearby products of its category; best first.
   */
  similar(
    application: string,
    productId: string,
    query: ProductListQuery,
  ): Promise<Result<RecommendationList>>;
  /** Returns the most popular products near a point, or of the world if `point` is null. */
  trending(
    application: string,
    point: Point | null,
    query: ProductListQuery,
  ): Promise<Result<RecommendationList>>;
  /**
   * Returns the receipt of a recommendation; refuses with `not_found` if it is unknown or expired, and with `forbidden` if
   * it would tell the requester where the user was.
   */
  receipt(
    application: string,
    recommendationId: string,
    requester: Requester,
  ): Promise<Result<RecommendationReceipt>>;
  /**
   * Computes the list of a recommendation again from its recorded inputs, or says what is gone. Refuses as `receipt` does,
   * and with `unavailable` if there is no memory for the model now.
   */
  replay(application: string, recommendationId: string, requester: Requester): Promise<Result<Replay>>;
  /**
   * Ingests at most 100 events. Each accepted event is stored durably in its user's Durable Object before the method
   * returns.
   */
  ingestEvents(
    application: string,
    events: EventInput[],
    requester: Requester,
  ): Promise<Result<EventReceipt>>;
  /**
   * Ingests at most 4,000 past events, without the outbox. The method returns after D1, the users' Durable Objects and
   * the cells hold the events.
   */
  ingestHistory(application: string, events: EventInput[]): Promise<Result<HistoryReport>>;
  /**
   * Stores where the user is, at the precision that they allow. Returns the city and country of the location. A location
   * that the user cannot have reached is not stored; the answer then contains a warning and the last one.
   */
  setLocation(
    application: string,
    userId: string,
    input: LocationInput,
    requester: Requester,
  ): Promise<Result<LocationOutcome>>;
  /**
   * Sends changed settings of a user's profile to their Durable Object. If the consent was lowered, returns the coarsening
   * of what is stored; the Durable Object continues it by alarms until all stores are done.
   */
  setUserSettings(
    application: string,
    userId: string,
    settings: UserSettings,
  ): Promise<Result<Coarsening | null>>;
  /** Returns the status of a coarsening by its id. */
  getCoarsening(application: string, id: string): Promise<Result<Coarsening>>;
  /**
   * Begins the erasure of a user, or returns the one that is running. The user's Durable Object continues it by alarms
   * until all stores are done.
   */
  beginErasure(application: string, userId: string): Promise<Result<Erasure>>;
  /** Lists all data that is stored about a user, at most 500 items a page. A page may be empty although more follow. */
  exportUser(
    application: string,
    userId: string,
    page: PageQuery,
    requester: Requester,
  ): Promise<Result<Page<ExportItem>>>;
  /**
   * Refuses with `unauthorized` if the requester's token was issued before the user was erased or merged. The
   * methods above that take a requester check it themselves.
   */
  checkRequester(application: string, userId: string, requester: Requester): Promise<Result<null>>;
  /**
   * Begins to merge the user `from` into `userId`, or returns the merge that is there. The Durable Object of `from`
   * continues it by alarms. `fromTokenIssuedAt`: when the token of `from` was issued that the requester sent, in seconds
   * since the epoch; null if they sent none.
   */
  beginMerge(
    application: string,
    userId: string,
    from: string,
    requester: Requester,
    fromTokenIssuedAt: number | null,
  ): Promise<Result<Merge>>;
  /** Returns the status of a merge by its id. With `into`, finds only merges into this user. */
  getMerge(application: string, id: string, into: string | null): Promise<Result<Merge>>;
  /** Returns the status of an erasure by its id. */
  getErasure(application: string, id: string): Promise<Result<Erasure>>;
  /** Runs one step of rebuilding totals, cells and transitions from D1. `cursor` is that of the previous step. */
  runRebuildStep(application: string, cursor: string | undefined): Promise<Result<RebuildStep>>;
  /** Lists the experiments of an application, by name. */
  listExperiments(application: string): Promise<Result<Experiment[]>>;
  getExperiment(application: string, name: string): Promise<Result<Experiment>>;
  /** Defines an experiment, or changes the end of one that has started. Refuses other changes with `conflict`. */
  putExperiment(application: string, name: string, input: ExperimentInput): Promise<Result<Experiment>>;
  /** Deletes an experiment and its counts. */
  deleteExperiment(application: string, name: string): Promise<Result<null>>;
  /** Returns the results of an experiment so far. */
  experimentResults(application: string, name: string): Promise<Result<ExperimentResults>>;
  /** Lists the model versions of an application, newest first, and last the model that is deployed with the code. */
  listModels(application: string): Promise<Result<ModelRecord[]>>;
  /** Returns a model version with its manifest, rollout, status changes and drift. */
  getModel(application: string, version: string): Promise<Result<ModelDetails>>;
  /**
   * Advances the rollouts of all applications as far as elapsed time and outcomes allow. Returns the number of
   * applications with a rollout. The gateway's cron calls this.
   */
  advanceRollouts(): Promise<Result<{ applications: number }>>;
  /** Checks a model against its manifest and stores it. The first model of an application is promoted at once. */
  registerModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
  ): Promise<Result<ModelRecord>>;
  /**
   * Returns the manifest and file of the serving model: the application's own, or else the bundled one. The trainer
   * calls it.
   */
  servingModel(application: string): Promise<Result<{ manifest: ModelManifest; bytes: ArrayBuffer }>>;
  /**
   * Scores lists of candidates, packed by `model/features/pack-features.ts`, at most 1,000 a call, with the model whose
   * file has this SHA-256.
   */
  scoreLists(application: string, sha256: string, packs: Uint8Array[]): Promise<Result<Float32Array[]>>;
  /**
   * Loads a model (registered or not), checks it against its manifest, and scores a list of the largest size `runs`
   * times (at most 100). The trainer calls it to measure the latency of a model.
   */
  tryModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    runs: number,
  ): Promise<Result<null>>;
  /** Stores a model that passed the gate, with status `registered`: it waits for its rollout. The trainer calls it. */
  registerCandidate(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    origin: ModelOrigin,
  ): Promise<Result<ModelRecord>>;
  /** Makes a version serve all users; also the model that is deployed with the code. */
  promote(application: string, version: string): Promise<Result<ModelRecord>>;
  /**
   * Ends the rollout of a version. For the serving version, the version that served before serves again, else the model
   * that is deployed with the code. If that one serves, refuses with `conflict` unless another version served before it.
   */
  rollback(application: string, version: string): Promise<Result<ModelRecord>>;
  /** Lists the scenarios that requests may name, ready-made ones too, by name. */
  listScenarios(application: string): Promise<Result<Scenario[]>>;
  /** Returns a scenario with its versions. */
  getScenario(application: string, name: string): Promise<Result<ScenarioDetails>>;
  /** Stores a new version of a scenario, which serves at once; with `validateOnly`, only checks it. */
  putScenario(
    application: string,
    name: string,
    settings: ScenarioSettings,
    validateOnly: boolean,
  ): Promise<Result<Scenario>>;
  /** Makes an earlier version of a scenario serve: the named one, else the one before. */
  rollBackScenario(application: string, name: string, version: number | undefined): Promise<Result<Scenario>>;
  /** Deletes a scenario with all its versions. */
  deleteScenario(application: string, name: string): Promise<Result<null>>;
  /** Opens the WebSocket of the user that {@link liveHeaders} name. The gateway forwards the upgrade request. */
  fetch(request: Request): Promise<Response>;
}
