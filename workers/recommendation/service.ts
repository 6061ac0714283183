import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import { type UserSession, userSession } from "../../durable-objects/user-session.ts";
import { decodeProfile } from "../../model/profile/codec.ts";
import { emptyProfile } from "../../model/profile/profile.ts";
import type {
  DeadLetter,
  DeadLetterWithBody,
  ReplayedDeadLetter,
} from "../../shared/contracts/dead-letter.ts";
import type { Erasure } from "../../shared/contracts/erasure.ts";
import { type EventInput, type EventReceipt, eventInput } from "../../shared/contracts/event.ts";
import type { ExportItem } from "../../shared/contracts/export.ts";
import { liveHeaders } from "../../shared/contracts/live.ts";
import { type AnswerLocation, type EdgeLocation, edgeLocation } from "../../shared/contracts/location.ts";
import {
  type ModelDetails,
  type ModelManifest,
  type ModelOrigin,
  type ModelRecord,
  modelManifest,
  modelOrigin,
} from "../../shared/contracts/model.ts";
import {
  applicationName,
  identifier,
  type Point,
  point,
  precision,
} from "../../shared/contracts/primitives.ts";
import { type RebuildStep, rebuildInput } from "../../shared/contracts/rebuild.ts";
import {
  type RecommendationAnswer,
  type RecommendationInput,
  type RecommendationReceipt,
  recommendationInput,
} from "../../shared/contracts/recommendation.ts";
import { ok, parse, type Result, refuse } from "../../shared/contracts/result.ts";
import { type RemovedCounts, type Retention, retention } from "../../shared/contracts/retention.ts";
import type {
  Page,
  PageQuery,
  Readiness,
  RecommendationApi,
  RecommendationList,
  UserSettings,
} from "../../shared/contracts/services.ts";
import { type LocationInput, locationInput } from "../../shared/contracts/user.ts";
import { removeExpiredDeadLetters } from "../../shared/dead-letters/retention.ts";
import { DeadLetterService } from "../../shared/dead-letters/service.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { exportUser } from "./export-user.ts";
import { ingestEvents, ingestHistory, isLive, timeOf } from "./ingest/ingest-events.ts";
import { redeliver } from "./ingest/queue.ts";
import { Registry } from "./models/registry.ts";
import { type ModelFile, scoreLists, servingModel, tryModel } from "./models/trials.ts";
import { bundledModel } from "./ranker/models.ts";
import { rebuild } from "./rebuild.ts";
import { advanceRollouts } from "./rollout/settle.ts";
import { similar, trending } from "./serve/lists.ts";
import { recommend } from "./serve/recommend.ts";
import { newRecommendationId, objectIdOf } from "./serve/recommendation-id.ts";
import { coarsened, namesOf } from "./serve/resolve-location.ts";
import { RegistryStore } from "./store.ts";

const userRef = z.object({ application: applicationName, userId: identifier });
const settingsInput = z.object({ home: point.nullable(), precision, version: z.number().int() });
const recommendCall = z.object({
  application: applicationName,
  input: recommendationInput,
  edge: edgeLocation,
});
const productCall = z.object({ application: applicationName, productId: identifier });
const placeCall = z.object({ application: applicationName, where: point.nullable() });
const eventsCall = z.object({ application: applicationName, events: z.array(eventInput).max(100) });
const historyCall = z.object({ application: applicationName, events: z.array(eventInput).max(4000) });
const moveCall = userRef.extend({ input: locationInput });
const settingsCall = userRef.extend({ settings: settingsInput });
const rebuildCall = z.object({ application: applicationName, input: rebuildInput });
const manifestCall = z.object({ application: applicationName, manifest: modelManifest });
const nowhere: EdgeLocation = { city: null, country: null, point: null, timezone: null };
const exportQuery = z.object({ limit: z.number().int().min(1).max(500), cursor: z.string().optional() });
const now = (): number => Date.now() / 1000;

/** Ranking, the event path, the model registry. */
export class RecommendationService extends WorkerEntrypoint<RecommendationEnv> implements RecommendationApi {
  #registry(application: string): Registry {
    return new Registry(this.env, application);
  }

  #later = (work: Promise<unknown>): void => this.ctx.waitUntil(work);

  async recommend(
    application: string,
    input: RecommendationInput,
    edge: EdgeLocation,
  ): Promise<Result<RecommendationAnswer>> {
    const parsed = parse(recommendCall, {
      application,
      input,
      edge,
    });
    if (!parsed.ok) return parsed;
    return recommend(this.env, application, parsed.value.input, parsed.value.edge, this.#later);
  }

  async similar(application: string, productId: string, limit: number): Promise<Result<RecommendationList>> {
    const parsed = parse(productCall, {
      application,
      productId,
    });
    return parsed.ok ? similar(this.env, application, productId, limit) : parsed;
  }

  async trending(
    application: string,
    where: Point | null,
    limit: number,
  ): Promise<Result<RecommendationList>> {
    const parsed = parse(placeCall, {
      application,
      where,
    });
    return parsed.ok ? trending(this.env, application, where, limit) : parsed;
  }

  async receipt(application: string, recommendationId: string): Promise<Result<RecommendationReceipt>> {
    const parsed = parse(applicationName, application);
    if (!parsed.ok) return parsed;
    const receipt = await this.#objectNamedBy(recommendationId, (session) =>
      session.receipt(application, recommendationId),
    );
    return receipt ? ok(receipt) : refuse("not_found", "There is no such recommendation.");
  }

  async ingestEvents(application: string, events: EventInput[]): Promise<Result<EventReceipt>> {
    const parsed = parse(eventsCall, {
      application,
      events,
    });
    if (!parsed.ok) return parsed;
    const { receipt, listened } = await ingestEvents(
      this.env,
      application,
      parsed.value.events,
      now(),
      this.#later,
    );
    for (const userId of listened) this.ctx.waitUntil(this.#push(application, userId));
    return ok(receipt);
  }

  async ingestHistory(
    application: string,
    events: EventInput[],
  ): Promise<Result<{ accepted: number; duplicates: number; rejected: number }>> {
    const parsed = parse(historyCall, {
      application,
      events,
    });
    if (!parsed.ok) return parsed;
    try {
      return ok(await ingestHistory(this.env, application, parsed.value.events, now()));
    } catch (error) {
      console.error({ event: "history not taken", error: errorText(error) });
      return refuse("unavailable", "History cannot be taken now; send the same lines again.", {
        retryAfter: 5,
      });
    }
  }

  async setLocation(
    application: string,
    userId: string,
    input: LocationInput,
  ): Promise<Result<{ location: AnswerLocation }>> {
    const parsed = parse(moveCall, { application, userId, input });
    if (!parsed.ok) return parsed;
    const { lat, lon, timestamp } = parsed.value.input;
    const time = timeOf(timestamp, now());
    if (!isLive(time, now()))
      return refuse("invalid_input", "A place is at most 7 days late and 5 minutes early.", {
        issues: [{ path: "timestamp", message: "is out of the window" }],
      });
    const session = userSession(this.env.USER_SESSION, application, userId, { lat, lon });
    const bytes = await session.state();
    const known = bytes.byteLength > 0 ? decodeProfile(bytes) : emptyProfile();
    const coarse = await coarsened(this.env.LOCATION, { lat, lon }, known.precision);
    const kept = await session.setLocation(application, userId, {
      ...coarse,
      time,
      precision: known.precision,
    });
    if (!kept.ok) return kept;
    if (kept.value.listened) this.ctx.waitUntil(this.#push(application, userId));
    const names = await namesOf(this.env.LOCATION, coarse);
    return ok({ location: { ...names, precision: known.precision, source: "request" } });
  }

  async setUserSettings(application: string, userId: string, settings: UserSettings): Promise<Result<null>> {
    const parsed = parse(settingsCall, { application, userId, settings });
    if (!parsed.ok) return parsed;
    await userSession(this.env.USER_SESSION, application, userId, settings.home).setUserSettings(
      application,
      userId,
      parsed.value.settings,
    );
    return ok(null);
  }

  /** The person's object leads it: it is durable there, and goes on by its alarm. */
  async erase(application: string, userId: string): Promise<Result<Erasure>> {
    const parsed = parse(userRef, { application, userId });
    if (!parsed.ok) return parsed;
    const session = userSession(this.env.USER_SESSION, application, userId, null);
    return ok(await session.erase(application, userId, newRecommendationId(session.id.toString())));
  }

  async exportUser(application: string, userId: string, query: PageQuery): Promise<Result<Page<ExportItem>>> {
    const parsed = parse(userRef.extend({ query: exportQuery }), { application, userId, query });
    return parsed.ok ? exportUser(this.env, application, userId, parsed.value.query) : parsed;
  }

  async erasure(application: string, id: string): Promise<Result<Erasure>> {
    const parsed = parse(applicationName, application);
    if (!parsed.ok) return parsed;
    const found = await this.#objectNamedBy(id, (session) => session.erasure(application, id));
    return found ? ok(found) : refuse("not_found", "There is no such erasure.");
  }

  /** Asks the person's object that an id leads to; null for an id that leads to none. */
  async #objectNamedBy<T>(
    id: string,
    ask: (session: DurableObjectStub<UserSession>) => Promise<T | null>,
  ): Promise<T | null> {
    const object = objectIdOf(id);
    if (object === null) return null;
    try {
      return await ask(this.env.USER_SESSION.get(this.env.USER_SESSION.idFromString(object)));
    } catch (error) {
      // An id of another namespace is no id of ours.
      if (error instanceof TypeError) return null;
      throw error;
    }
  }

  async rebuild(application: string, cursor: string | undefined): Promise<Result<RebuildStep>> {
    const parsed = parse(rebuildCall, {
      application,
      input: { cursor },
    });
    return parsed.ok ? rebuild(this.env, application, cursor) : parsed;
  }

  async models(application: string): Promise<Result<ModelRecord[]>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? ok(await this.#registry(application).list()) : parsed;
  }

  async model(application: string, version: string): Promise<Result<ModelDetails>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? this.#registry(application).details(version) : parsed;
  }

  /** Brings versions of all applications further that are on their way, for what time alone decides. */
  async advanceRollouts(): Promise<Result<{ underWay: number }>> {
    return advanceRollouts(this.env, now());
  }

  async registerModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
  ): Promise<Result<ModelRecord>> {
    const parsed = parse(manifestCall, {
      application,
      manifest,
    });
    return parsed.ok ? this.#registry(application).register(parsed.value.manifest, bytes, now()) : parsed;
  }

  async servingModel(application: string): Promise<Result<ModelFile>> {
    const parsed = parse(applicationName, application);
    return parsed.ok ? servingModel(this.env, application) : parsed;
  }

  async scoreLists(
    application: string,
    sha256: string,
    packs: Uint8Array[],
  ): Promise<Result<Float32Array[]>> {
    const parsed = parse(
      z.object({
        application: applicationName,
        sha256: modelManifest.shape.sha256,
        packs: z.array(z.instanceof(Uint8Array)).max(1000),
      }),
      { application, sha256, packs },
    );
    return parsed.ok ? scoreLists(this.env, application, sha256, parsed.value.packs) : parsed;
  }

  async tryModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    runs: number,
  ): Promise<Result<null>> {
    const parsed = parse(
      z.object({
        application: applicationName,
        manifest: modelManifest,
        runs: z.number().int().min(1).max(100),
      }),
      { application, manifest, runs },
    );
    return parsed.ok ? tryModel(parsed.value.manifest, bytes, runs) : parsed;
  }

  async registerCandidate(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    origin: ModelOrigin,
  ): Promise<Result<ModelRecord>> {
    const parsed = parse(
      z.object({ application: applicationName, manifest: modelManifest, origin: modelOrigin }),
      { application, manifest, origin },
    );
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

  /** The WebSocket of a person, whom the gateway names. */
  override async fetch(request: Request): Promise<Response> {
    const named = userRef.safeParse({
      application: request.headers.get(liveHeaders.application),
      userId: request.headers.get(liveHeaders.userId),
    });
    if (!named.success) return new Response(null, { status: 404 });
    return userSession(this.env.USER_SESSION, named.data.application, named.data.userId, null).fetch(request);
  }

  /** Fresh recommendations to whoever listens. */
  async #push(application: string, userId: string): Promise<void> {
    const input = recommendationInput.parse({ userId });
    const answer = await recommend(this.env, application, input, nowhere, this.#later);
    if (answer.ok)
      await userSession(this.env.USER_SESSION, application, userId, null).broadcast(
        JSON.stringify(answer.value),
      );
  }

  get #letters(): DeadLetterService {
    return new DeadLetterService(this.env.TRAINING_LOG, (deadLetter) => redeliver(this.env, deadLetter));
  }

  deadLetters(application: string, query: PageQuery): Promise<Result<Page<DeadLetter>>> {
    return this.#letters.deadLetters(application, query);
  }

  deadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>> {
    return this.#letters.deadLetter(application, id);
  }

  replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>> {
    return this.#letters.replayDeadLetter(application, id);
  }

  discardDeadLetter(application: string, id: string): Promise<Result<null>> {
    return this.#letters.discardDeadLetter(application, id);
  }

  async retain(input: Retention): Promise<Result<RemovedCounts>> {
    const parsed = parse(retention, input);
    return parsed.ok
      ? ok(await removeExpiredDeadLetters(this.env.TRAINING_LOG, parsed.value, Date.now() / 1000))
      : parsed;
  }

  async ready(): Promise<Readiness> {
    if (!bundledModel.ok)
      return { ready: false, detail: `the bundled model was refused: ${bundledModel.error.detail}` };
    try {
      await new RegistryStore(this.env.DB).probe();
      return { ready: true, detail: "ready" };
    } catch {
      return { ready: false, detail: "its database is not migrated" };
    }
  }
}
