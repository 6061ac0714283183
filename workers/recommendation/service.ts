import { WorkerEntrypoint } from "cloudflare:workers";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import type { ApplicationsShare } from "../../shared/contracts/applications-share.ts";
import type { Coarsening } from "../../shared/contracts/coarsening.ts";
import type {
  DeadLetter,
  DeadLetterWithBody,
  ReplayedDeadLetter,
} from "../../shared/contracts/dead-letter.ts";
import type { Erasure } from "../../shared/contracts/erasure.ts";
import type { EventInput, EventReceipt } from "../../shared/contracts/event.ts";
import type { Experiment, ExperimentInput, ExperimentResults } from "../../shared/contracts/experiment.ts";
import type { ExportItem } from "../../shared/contracts/export.ts";
import { liveHeaders } from "../../shared/contracts/live.ts";
import type { EdgeLocation } from "../../shared/contracts/location.ts";
import type { Merge } from "../../shared/contracts/merge.ts";
import type { ModelDetails, ModelManifest, ModelOrigin, ModelRecord } from "../../shared/contracts/model.ts";
import type { Page, PageQuery } from "../../shared/contracts/page.ts";
import { applicationName, type Point } from "../../shared/contracts/primitives.ts";
import type { RebuildStep } from "../../shared/contracts/rebuild.ts";
import type { RecommendationReceipt, Replay } from "../../shared/contracts/receipt.ts";
import type {
  ProductListQuery,
  RecommendationAnswer,
  RecommendationInput,
  RecommendationList,
} from "../../shared/contracts/recommendation.ts";
import type {
  RecommendationBatch,
  RecommendationBatchInput,
} from "../../shared/contracts/recommendation-batch.ts";
import { type Requester, trustedRequester } from "../../shared/contracts/requester.ts";
import { ok, parse, type Result, refuse } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retentionCall } from "../../shared/contracts/retention.ts";
import type { Scenario, ScenarioDetails, ScenarioSettings } from "../../shared/contracts/scenario.ts";
import type { LocationInput, LocationOutcome } from "../../shared/contracts/user.ts";
import { DeadLetterService } from "../../shared/dead-letters/dead-letter-service.ts";
import { removeExpiredDeadLetters } from "../../shared/dead-letters/remove-expired-dead-letters.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import type { Language } from "../../shared/language/languages.ts";
import type { SealedIdScope } from "../../shared/pseudonyms/sealed-object-id.ts";
import type { HistoryReport, RecommendationApi } from "../../shared/services/recommendation-api.ts";
import type { UserSettings } from "../../shared/services/user-api.ts";
import type { Readiness } from "../../shared/services/worker-api.ts";
import { recommendBatch } from "./batch/recommend-batch.ts";
import { Experiments } from "./experiments/manage-experiments.ts";
import { exportUser } from "./export-user.ts";
import { ingestEvents, ingestHistory } from "./ingest/ingest-events.ts";
import { redeliverRows } from "./ingest/queue.ts";
import { setUserLocation } from "./ingest/set-user-location.ts";
import { ModelRegistry } from "./models/model-registry.ts";
import { type ModelFile, scoreLists, servingModelFile, tryModel } from "./models/trainer-calls.ts";
import { uploadModel } from "./models/upload-model.ts";
import { readinessOf } from "./readiness.ts";
import { runRebuildStep } from "./rebuild.ts";
import { advanceRollouts } from "./rollout/advance-rollouts.ts";
import {
  experimentRef,
  exportCall,
  historyCall,
  locationCall,
  manifestCall,
  mergeCall,
  mergeQuery,
  putScenarioCall,
  rebuildCall,
  receiptCall,
  registerCandidateCall,
  requesterCall,
  rollBackScenarioCall,
  scenarioRef,
  scoreListsCall,
  settingsCall,
  similarCall,
  trendingCall,
  tryModelCall,
  userRef,
} from "./rpc-inputs.ts";
import { Scenarios } from "./scenarios/scenarios.ts";
import { askSealedObject, sealedIdOf } from "./sealed-objects.ts";
import { knownProfiles } from "./serve/known-profiles.ts";
import { pushRecommendations } from "./serve/push-recommendations.ts";
import { receiptFor } from "./serve/receipt-for.ts";
import { recommendProducts } from "./serve/recommend.ts";
import { replayRecommendation } from "./serve/replay-recommendation.ts";
import { storeHeldImpressions } from "./serve/send-impressions.ts";
import { similarProducts, trendingProducts } from "./serve/similar-and-trending.ts";

/** Seconds after which a client may send refused history again. */
const historyRetryAfter = 5;
const now = (): number => Date.now() / 1000;

/** RPC entry point for recommendations, events, users' data and models. Parses the input and delegates. */
export class RecommendationService extends WorkerEntrypoint<RecommendationEnv> implements RecommendationApi {
  #registry(application: string): ModelRegistry {
    return new ModelRegistry(this.env, application);
  }

  #waitUntil = (work: Promise<unknown>): void => this.ctx.waitUntil(work);

  #push(application: string, userId: string): void {
    this.#waitUntil(pushRecommendations(this.env, application, userId, this.#waitUntil));
  }

  /** Answers a recommendation request. The gateway has parsed it: no worker parses a request of another one again. */
  async recommend(
    application: string,
    input: RecommendationInput,
    edge: EdgeLocation,
    requester: Requester,
    language?: Language,
  ): Promise<Result<RecommendationAnswer>> {
    const request = { input, edge, requester, language };
    return recommendProducts(this.env, application, request, this.#waitUntil);
  }

  /** Makes the lists of a batch, which the gateway has parsed. */
  async recommendBatch(
    application: string,
    input: RecommendationBatchInput,
    requester: Requester,
  ): Promise<Result<RecommendationBatch>> {
    return recommendBatch(this.env, application, input, requester, this.#waitUntil);
  }

  async similar(
    application: string,
    productId: string,
    query: ProductListQuery,
  ): Promise<Result<RecommendationList>> {
    const parsed = parse(similarCall, { application, productId, query });
    if (!parsed.ok) return parsed;
    return similarProducts(this.env, application, productId, parsed.value.query, this.#waitUntil);
  }

  async trending(
    application: string,
    where: Point | null,
    query: ProductListQuery,
  ): Promise<Result<RecommendationList>> {
    const parsed = parse(trendingCall, { application, where, query });
    if (!parsed.ok) return parsed;
    return trendingProducts(this.env, application, where, parsed.value.query, this.#waitUntil);
  }

  async receipt(
    application: string,
    recommendationId: string,
    requester: Requester,
  ): Promise<Result<RecommendationReceipt>> {
    const parsed = parse(receiptCall, { application, requester });
    if (!parsed.ok) return parsed;
    const scope: SealedIdScope = { application, kind: "recommendation" };
    const receipt = await askSealedObject(this.env, scope, recommendationId, async (session) => {
      await storeHeldImpressions(session);
      return session.receipt(application, recommendationId);
    });
    if (!receipt) return refuse("not_found", `There is no recommendation ${recommendationId}.`);
    return receiptFor(parsed.value.requester, receipt);
  }

  async replay(application: string, recommendationId: string, requester: Requester): Promise<Result<Replay>> {
    const receipt = await this.receipt(application, recommendationId, requester);
    if (!receipt.ok) return receipt;
    const scope: SealedIdScope = { application, kind: "recommendation" };
    const inputs = await askSealedObject(this.env, scope, recommendationId, (session) =>
      session.recordedInputs(application, recommendationId),
    );
    return replayRecommendation(this.env, application, receipt.value, inputs);
  }

  /** Ingests live events, which the gateway has parsed. */
  async ingestEvents(
    application: string,
    events: EventInput[],
    requester: Requester,
  ): Promise<Result<EventReceipt>> {
    const ingested = await ingestEvents(this.env, application, { events, requester }, now(), this.#waitUntil);
    if (!ingested.ok) return ingested;
    const { receipt, usersWithListeners } = ingested.value;
    for (const userId of usersWithListeners) this.#push(application, userId);
    return ok(receipt);
  }

  async ingestHistory(application: string, events: EventInput[]): Promise<Result<HistoryReport>> {
    const parsed = parse(historyCall, { application, events });
    if (!parsed.ok) return parsed;
    try {
      return ok(await ingestHistory(this.env, application, parsed.value.events, now()));
    } catch (error) {
      console.error({ event: "history not ingested", error: errorText(error) });
      return refuse("unavailable", "The history could not be stored; send the same lines again.", {
        retryAfter: historyRetryAfter,
      });
    }
  }

  async setLocation(
    application: string,
    userId: string,
    input: LocationInput,
    requester: Requester,
  ): Promise<Result<LocationOutcome>> {
    const parsed = parse(locationCall, { application, userId, input, requester });
    if (!parsed.ok) return parsed;
    const outcome = await setUserLocation(this.env, application, userId, parsed.value, now());
    if (!outcome.ok) return outcome;
    if (outcome.value.hasListeners) this.#push(application, userId);
    return ok(outcome.value.answer);
  }

  async setUserSettings(
    application: string,
    userId: string,
    settings: UserSettings,
  ): Promise<Result<Coarsening | null>> {
    const parsed = parse(settingsCall, { application, userId, settings });
    if (!parsed.ok) return parsed;
    const session = userSessionStub(this.env.USER_SESSION, application, userId, settings.home);
    return session.setUserSettings(application, userId, parsed.value.settings);
  }

  /** Starts an erasure. The user object stores it durably and runs it by its alarm. */
  async beginErasure(application: string, userId: string): Promise<Result<Erasure>> {
    const parsed = parse(userRef, { application, userId });
    if (!parsed.ok) return parsed;
    const session = userSessionStub(this.env.USER_SESSION, application, userId, null);
    const scope: SealedIdScope = { application, kind: "erasure" };
    const id = await sealedIdOf(this.env, scope, session);
    knownProfiles.forget(application, session.id.toString());
    return ok(await session.erase(application, userId, id));
  }

  async exportUser(
    application: string,
    userId: string,
    query: PageQuery,
    requester: Requester,
  ): Promise<Result<Page<ExportItem>>> {
    const parsed = parse(exportCall, { application, userId, query, requester });
    if (!parsed.ok) return parsed;
    const checked = await this.checkRequester(application, userId, requester);
    if (!checked.ok) return checked;
    await storeHeldImpressions(userSessionStub(this.env.USER_SESSION, application, userId, null));
    return exportUser(this.env, application, userId, parsed.value.query, requester);
  }

  async checkRequester(application: string, userId: string, requester: Requester): Promise<Result<null>> {
    const parsed = parse(requesterCall, { application, userId, requester });
    if (!parsed.ok) return parsed;
    if (requester.tokenIssuedAt === null) return ok(null);
    return userSessionStub(this.env.USER_SESSION, application, userId, null).checkRequester(requester);
  }

  /** Starts a merge. The object of the merged user stores it durably and runs it by its alarm. */
  async beginMerge(
    application: string,
    userId: string,
    from: string,
    requester: Requester,
    fromTokenIssuedAt: number | null,
  ): Promise<Result<Merge>> {
    const parsed = parse(mergeCall, { application, userId, from, requester, fromTokenIssuedAt });
    if (!parsed.ok) return parsed;
    if (from === userId) {
      const issue = { path: "from", message: "must be another user than the one in the path" };
      return refuse("invalid_input", `\`${issue.path}\` ${issue.message}.`, { issues: [issue] });
    }
    const { USER_SESSION } = this.env;
    const into = {
      userId,
      pseudonym: userSessionStub(USER_SESSION, application, userId, null).id.toString(),
    };
    const checked = await this.checkRequester(application, userId, requester);
    if (!checked.ok) return checked;
    const session = userSessionStub(USER_SESSION, application, from, null);
    await storeHeldImpressions(session);
    const scope: SealedIdScope = { application, kind: "merge" };
    const id = await sealedIdOf(this.env, scope, session);
    const sender = { ...trustedRequester, tokenIssuedAt: fromTokenIssuedAt };
    return session.beginMerge(application, from, into, id, sender);
  }

  async getMerge(application: string, id: string, into: string | null): Promise<Result<Merge>> {
    const parsed = parse(mergeQuery, { application, id, into });
    if (!parsed.ok) return parsed;
    const { USER_SESSION } = this.env;
    const reader = into && userSessionStub(USER_SESSION, application, into, null).id.toString();
    const scope: SealedIdScope = { application, kind: "merge" };
    const merge = await askSealedObject(this.env, scope, id, (session) =>
      session.merge(application, id, reader),
    );
    return merge ? ok(merge) : refuse("not_found", `There is no merge ${id}.`);
  }

  async getErasure(application: string, id: string): Promise<Result<Erasure>> {
    const parsed = parse(applicationName, application);
    if (!parsed.ok) return parsed;
    const scope: SealedIdScope = { application, kind: "erasure" };
    const erasure = await askSealedObject(this.env, scope, id, (session) => session.erasure(application, id));
    return erasure ? ok(erasure) : refuse("not_found", `There is no erasure ${id}.`);
  }

  async getCoarsening(application: string, id: string): Promise<Result<Coarsening>> {
    const parsed = parse(applicationName, application);
    if (!parsed.ok) return parsed;
    const scope: SealedIdScope = { application, kind: "coarsening" };
    const found = await askSealedObject(this.env, scope, id, (session) =>
      session.coarsening(application, id),
    );
    return found ? ok(found) : refuse("not_found", `There is no coarsening ${id}.`);
  }

  async runRebuildStep(application: string, cursor: string | undefined): Promise<Result<RebuildStep>> {
    const parsed = parse(rebuildCall, { application, input: { cursor } });
    return parsed.ok ? runRebuildStep(this.env, application, cursor) : parsed;
  }

  #experiments(application: string): Experiments {
    return new Experiments(this.env, application);
  }

  async listExperiments(application: string): Promise<Result<Experiment[]>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? ok(await this.#experiments(application).list(now())) : parsed;
  }

  async getExperiment(application: string, name: string): Promise<Result<Experiment>> {
    const parsed = parse(experimentRef, { application, name });
    return parsed.ok ? this.#experiments(application).get(name, now()) : parsed;
  }

  /** Defines an experiment. The gateway has parsed it. */
  async putExperiment(
    application: string,
    name: string,
    input: ExperimentInput,
  ): Promise<Result<Experiment>> {
    const parsed = parse(experimentRef, { application, name });
    return parsed.ok ? this.#experiments(application).put(name, input, now()) : parsed;
  }

  async deleteExperiment(application: string, name: string): Promise<Result<null>> {
    const parsed = parse(experimentRef, { application, name });
    return parsed.ok ? this.#experiments(application).delete(name) : parsed;
  }

  async experimentResults(application: string, name: string): Promise<Result<ExperimentResults>> {
    const parsed = parse(experimentRef, { application, name });
    return parsed.ok ? this.#experiments(application).results(name, now()) : parsed;
  }

  async listModels(application: string): Promise<Result<ModelRecord[]>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? ok(await this.#registry(application).listWithBundled()) : parsed;
  }

  async getModel(application: string, version: string): Promise<Result<ModelDetails>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? this.#registry(application).details(version) : parsed;
  }

  /** Advances the rollouts of all applications as far as elapsed time and outcomes allow. */
  async advanceRollouts(): Promise<Result<{ applications: number }>> {
    return advanceRollouts(this.env, now());
  }

  async registerModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
  ): Promise<Result<ModelRecord>> {
    const parsed = parse(manifestCall, { application, manifest });
    return parsed.ok ? uploadModel(this.env, application, parsed.value.manifest, bytes, now) : parsed;
  }

  async servingModel(application: string): Promise<Result<ModelFile>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? servingModelFile(this.env, application) : parsed;
  }

  async scoreLists(
    application: string,
    sha256: string,
    packs: Uint8Array[],
  ): Promise<Result<Float32Array[]>> {
    const parsed = parse(scoreListsCall, { application, sha256, packs });
    return parsed.ok ? scoreLists(this.env, application, sha256, parsed.value.packs) : parsed;
  }

  async tryModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    runs: number,
  ): Promise<Result<null>> {
    const parsed = parse(tryModelCall, { application, manifest, runs });
    return parsed.ok ? tryModel(application, parsed.value.manifest, bytes, runs) : parsed;
  }

  async registerCandidate(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    origin: ModelOrigin,
  ): Promise<Result<ModelRecord>> {
    const parsed = parse(registerCandidateCall, { application, manifest, origin });
    if (!parsed.ok) return parsed;
    return this.#registry(application).register(parsed.value.manifest, bytes, now(), parsed.value.origin);
  }

  async promote(application: string, version: string): Promise<Result<ModelRecord>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? this.#registry(application).promote(version, now()) : parsed;
  }

  async rollback(application: string, version: string): Promise<Result<ModelRecord>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? this.#registry(application).rollback(version, now()) : parsed;
  }

  async listScenarios(application: string): Promise<Result<Scenario[]>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? ok(await new Scenarios(this.env, application).list()) : parsed;
  }

  async getScenario(application: string, name: string): Promise<Result<ScenarioDetails>> {
    const parsed = parse(scenarioRef, { application, name });
    return parsed.ok ? new Scenarios(this.env, application).get(name) : parsed;
  }

  async putScenario(
    application: string,
    name: string,
    settings: ScenarioSettings,
    validateOnly: boolean,
  ): Promise<Result<Scenario>> {
    const parsed = parse(putScenarioCall, { application, name, settings, validateOnly });
    if (!parsed.ok) return parsed;
    return new Scenarios(this.env, application).put(name, parsed.value.settings, validateOnly, now());
  }

  async rollBackScenario(
    application: string,
    name: string,
    version: number | undefined,
  ): Promise<Result<Scenario>> {
    const parsed = parse(rollBackScenarioCall, { application, name, version });
    return parsed.ok ? new Scenarios(this.env, application).rollback(name, version) : parsed;
  }

  async deleteScenario(application: string, name: string): Promise<Result<null>> {
    const parsed = parse(scenarioRef, { application, name });
    return parsed.ok ? new Scenarios(this.env, application).remove(name, now()) : parsed;
  }

  /** Opens the WebSocket of the user whom the gateway names in the request headers. */
  override async fetch(request: Request): Promise<Response> {
    const user = userRef.safeParse({
      application: request.headers.get(liveHeaders.application),
      userId: decodeURIComponent(request.headers.get(liveHeaders.userId) ?? ""),
    });
    if (!user.success) return new Response(null, { status: 404 });
    return userSessionStub(this.env.USER_SESSION, user.data.application, user.data.userId, null).fetch(
      request,
    );
  }

  get #deadLetters(): DeadLetterService {
    return new DeadLetterService(this.env.DEAD_LETTERS, (deadLetter) => redeliverRows(this.env, deadLetter));
  }

  listDeadLetters(application: string, query: PageQuery): Promise<Result<Page<DeadLetter>>> {
    return this.#deadLetters.listDeadLetters(application, query);
  }

  getDeadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>> {
    return this.#deadLetters.getDeadLetter(application, id);
  }

  replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>> {
    return this.#deadLetters.replayDeadLetter(application, id);
  }

  discardDeadLetter(application: string, id: string): Promise<Result<null>> {
    return this.#deadLetters.discardDeadLetter(application, id);
  }

  async applyRetention(input: Retention, share: ApplicationsShare): Promise<Result<RemovedCounts>> {
    const parsed = parse(retentionCall, { input, share });
    if (!parsed.ok) return parsed;
    const { value } = parsed;
    return ok(await removeExpiredDeadLetters(this.env.DEAD_LETTERS, value.input, now(), value.share));
  }

  ready(): Promise<Readiness> {
    return readinessOf(this.env);
  }
}
