import { usualConsent } from "../../../shared/consent/default-consent.ts";
import { type CatalogSchema, noCatalogSchema } from "../../../shared/contracts/catalog-schema.ts";
import type { Erasure } from "../../../shared/contracts/erasure.ts";
import type { EventReceipt } from "../../../shared/contracts/event.ts";
import type { Merge } from "../../../shared/contracts/merge.ts";
import type { Product, ProductInput } from "../../../shared/contracts/product.ts";
import { ok, refuse } from "../../../shared/contracts/result.ts";
import { emptyTotals } from "../../../shared/contracts/totals.ts";
import type { User, UserInput } from "../../../shared/contracts/user.ts";
import type { DeadLetterApi } from "../../../shared/services/dead-letter-api.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";
import type { RecommendationApi } from "../../../shared/services/recommendation-api.ts";
import type { TrainerApi } from "../../../shared/services/trainer-api.ts";
import type { UserApi } from "../../../shared/services/user-api.ts";
import type { GatewayServices } from "../services.ts";

const at = "2026-01-31T12:00:00.000Z";
const up = async () => ({ ready: true, detail: "up" });
const place = { city: "Oslo", country: "NO", timezone: "Europe/Oslo", cell: "cell", distanceKm: 1 };
const location = { city: "Oslo", country: "NO", precision: "exact", source: "request" } as const;
const model = { version: "m1", sha256: "0".repeat(64) };
const notFound = (what: string) => refuse("not_found", `There is no such ${what}.`);

/** A service without dead-letter messages. */
const noDeadLetters: DeadLetterApi = {
  listDeadLetters: async () => ok({ items: [] }),
  getDeadLetter: async () => notFound("dead-letter message"),
  replayDeadLetter: async () => notFound("dead-letter message"),
  discardDeadLetter: async () => notFound("dead-letter message"),
};

const productService = (): ProductApi => {
  const products = new Map<string, Product>();
  const schemas = new Map<string, CatalogSchema>();
  const key = (application: string, id: string) => `${application}/${id}`;
  const write = (application: string, input: ProductInput): boolean => {
    const created = !products.has(key(application, input.id));
    products.set(key(application, input.id), { ...input, updatedAt: at });
    return created;
  };
  const find = (application: string, id: string) => {
    const product = products.get(key(application, id));
    return product ? ok(product) : notFound("product");
  };
  return {
    listByAddress: async () => ok([]),
    ...noDeadLetters,
    ready: up,
    applyRetention: async () => ok({}),
    put: async (application, input) => {
      const created = write(application, input);
      return ok({ product: { ...input, updatedAt: at }, created });
    },
    get: async (application, id) => find(application, id),
    patch: async (application, id, patch) => {
      const found = find(application, id);
      return found.ok ? ok({ ...found.value, ...patch }) : found;
    },
    remove: async (application, id) =>
      products.delete(key(application, id)) ? ok(null) : notFound("product"),
    list: async (application, page) =>
      ok({
        items: [...products]
          .filter(([name]) => name.startsWith(`${application}/`))
          .map(([, product]) => product)
          .slice(0, page.limit),
      }),
    putMany: async (application, inputs) => {
      for (const input of inputs) write(application, input);
      return ok({ written: inputs.length, rejected: [] });
    },
    getCards: async () => ok([]),
    getSchema: async (application) => ok(schemas.get(application) ?? noCatalogSchema),
    putSchema: async (application, { attributes }) => {
      const { version } = schemas.get(application) ?? noCatalogSchema;
      const schema = { ...noCatalogSchema, version: version + 1, attributes, updatedAt: at };
      schemas.set(application, schema);
      return ok(schema);
    },
    putImage: async (application, id, n, bytes) => {
      const found = find(application, id);
      if (!found.ok) return found;
      if (new Uint8Array(bytes)[0] !== 0xff) return refuse("unsupported_media_type", "Not an image.");
      return ok({
        path: `/v1/images/${"a".repeat(21)}${n}`,
        sha256: "a".repeat(64),
        contentType: "image/jpeg",
        bytes: bytes.byteLength,
      });
    },
    deleteImage: async (application, id, n) =>
      find(application, id).ok && n === 0 ? ok(null) : notFound("image"),
    imagePath: async (application, id) => {
      const found = find(application, id);
      return found.ok ? ok({ path: `/v1/images/${"a".repeat(22)}` }) : found;
    },
    readImage: async (id, isKnown) =>
      id.startsWith("a")
        ? ok({ bytes: isKnown ? null : new Uint8Array([0xff, 0xd8]).buffer, contentType: "image/jpeg" })
        : notFound("image"),
    resendOutbox: async () => ok({ resent: 0 }),
  };
};

const userService = (): UserApi => {
  const users = new Map<string, User>();
  const settings = (user: User) => ({ home: user.home, precision: user.consent.location, version: 1 });
  const consentOf = ({ location }: UserInput["consent"]): User["consent"] => ({
    location: location ?? usualConsent,
  });
  const make = (id: string, { consent, ...input }: UserInput): User => ({
    ...{ id, ...input, consent: consentOf(consent) },
    ...{ createdAt: at, updatedAt: at },
  });
  return {
    ready: up,
    applyRetention: async () => ok({}),
    advanceMoves: async () => ok({ done: 0, waiting: 0 }),
    put: async (application, id, input) => {
      const name = `${application}/${id}`;
      const created = !users.has(name);
      const user = make(id, input);
      users.set(name, user);
      return ok({ user, created, settings: settings(user) });
    },
    get: async (application, id) => {
      const user = users.get(`${application}/${id}`);
      return user ? ok(user) : notFound("user");
    },
    patch: async (application, id, patch) => {
      const before = users.get(`${application}/${id}`);
      if (!before) return notFound("user");
      const { consent, ...changes } = patch;
      const user = { ...before, ...changes, ...(consent ? { consent: consentOf(consent) } : {}) };
      return ok({ user, settings: settings(user) });
    },
    list: async () => ok({ items: [...users.values()] }),
    recordInteractions: async () => ok({ inserted: 0, totals: [], uncounted: [] }),
    findInteractions: async () => ok([]),
    recordLocations: async () => ok({ inserted: 0 }),
    findConsentLimits: async () => ok([]),
    replaceLocations: async () => ok({ changed: 0 }),
    listInteractions: async () => ok({ items: [] }),
    listCountedInteractions: async () => ok({ items: [] }),
    lifetimeTotals: async (_application, ids) => ok(ids.map(emptyTotals)),
    hourlyTotals: async () => ok([]),
    rebuildTotals: async () => ok({ products: 0, next: null }),
    listVisits: async () => ok({ items: [] }),
    getSettings: async () => ok(null),
    eraseRecords: async () => ok({ interactions: 0, locations: 0, profiles: 0, more: false }),
    findTombstones: async () => ok([]),
    closeMergedGeneration: async () => ok(null),
    readHistory: async () => ok([]),
    insertHistory: async () => ok({ inserted: 0 }),
    readVisits: async () => ok([]),
    adoptProfile: async () => ok(null),
  };
};

const searched = { radiusKm: 20_038, complete: true };

const locationService = (): LocationApi => {
  const columns = async () => ok(new ArrayBuffer(0));
  return {
    ready: up,
    resolveLocation: async () => ok(place),
    coarsen: async (point) => ok({ point, place }),
    coarsenPoints: async (points) => ok(points),
    edgePoint: async (edge) => ok(edge.point),
    filterCurrency: async () => ok("EUR"),
    filterCurrencies: async (_application, points) => ok(points.map(() => "EUR")),
    gatherManyCandidates: async (_application, queries) => ok(queries.map(() => null)),
    nearby: async () => ok({ items: [], searched }),
    gatherCandidates: async () => ok({ near: null, chosen: null, next: null, skipped: [], place }),
    firstStageCandidates: columns,
    productColumns: columns,
    applyProductChanges: async () => ok({ applied: 0, unknown: [] }),
    rebuildCells: async () => ok({ cells: 0 }),
    applyTotals: async () => ok({ applied: 0, unknown: [] }),
  };
};

/** Users whose events are rejected, by user id, with the error that the receipt reports. */
const refusedUsers: Record<string, EventReceipt["rejected"][number]["error"]> = {
  unreachable: { code: "unavailable", message: "not now", retryAfter: 1 },
  full: { code: "rate_limited", message: "too many wait", retryAfter: 30 },
};

const erasure: Erasure = {
  id: "e1",
  status: "done",
  requestedAt: at,
  completedAt: at,
  stores: [{ store: "records", status: "done", removed: 3 }],
};

const merge: Merge = {
  ...{ id: "g1", status: "done", requestedAt: at, completedAt: at, reason: null },
  stores: [{ store: "interactions", status: "done", moved: 3 }],
};

const recommendationService = (): RecommendationApi => {
  const record = {
    ...model,
    status: "serving" as const,
    parent: null,
    metrics: {},
    createdAt: at,
    promotedAt: at,
    dataWindow: { name: "", from: null, to: null, events: 0 },
    origin: { by: "hand", gate: null },
    promotedBy: "hand",
  };
  return {
    ...noDeadLetters,
    ready: up,
    applyRetention: async () => ok({}),
    recommend: async (_application, input) =>
      ok({
        recommendationId: "r1",
        model,
        variant: "default",
        location: { ...location, source: input.location ? "request" : "none" },
        items: [],
        next: null,
        searched,
        stages: [
          { name: "person", ms: 1.5 },
          { name: "onnx", ms: 0, skipped: "budget" },
        ],
      }),
    recommendBatch: async (_application, { userIds }) =>
      ok({
        items: userIds.map((userId) => ({ userId, error: { code: "unavailable" as const, detail: "down" } })),
      }),
    similar: async () => ok({ items: [], searched }),
    trending: async () => ok({ items: [], searched }),
    receipt: async () => notFound("recommendation"),
    replay: async () => notFound("recommendation"),
    ingestEvents: async (_application, events) => {
      const rejected = events.flatMap(({ userId }, index) =>
        userId in refusedUsers ? [{ index, error: refusedUsers[userId] }] : [],
      );
      return ok({
        accepted: events.length - rejected.length,
        duplicates: 0,
        rejected,
        warnings: events.flatMap((event, index) =>
          event.productId === "nothing"
            ? [{ index, code: "unknown_product", message: "The catalog has no such product." }]
            : [],
        ),
      });
    },
    ingestHistory: async (_application, events) =>
      ok({ accepted: events.length, duplicates: 0, rejected: [] }),
    setLocation: async () => ok({ location }),
    setUserSettings: async () => ok(null),
    beginErasure: async () => ok(erasure),
    exportUser: async () => ok({ items: [] }),
    checkRequester: async () => ok(null),
    getErasure: async () => notFound("erasure"),
    beginMerge: async () => ok(merge),
    getMerge: async () => notFound("merge"),
    getCoarsening: async () => notFound("coarsening"),
    runRebuildStep: async () => ok({ part: "neighbours", done: 0 }),
    listExperiments: async () => ok([]),
    getExperiment: async () => notFound("experiment"),
    putExperiment: async (_application, name, { startsAt: _, endsAt: __, ...definition }) =>
      ok({
        ...definition,
        variants: definition.variants.map(({ scenario: _scenario, ...variant }) => variant),
        ...{ name, run: `${name}:1`, status: "running", startsAt: at, endsAt: null, createdAt: at },
      }),
    deleteExperiment: async () => notFound("experiment"),
    experimentResults: async () => notFound("experiment"),
    listModels: async () => ok([record]),
    getModel: async () => notFound("model"),
    advanceRollouts: async () => ok({ applications: 0 }),
    registerModel: async (_application, manifest, bytes) =>
      bytes.byteLength === manifest.bytes ? ok(record) : refuse("invalid_input", "The sizes differ."),
    servingModel: async () => notFound("model"),
    scoreLists: async () => notFound("model"),
    tryModel: async () => ok(null),
    registerCandidate: async () => ok(record),
    promote: async () => notFound("model"),
    rollback: async () => notFound("model"),
    listScenarios: async () => ok([]),
    getScenario: async () => notFound("scenario"),
    putScenario: async (_application, name, settings) => ok({ name, settings, version: 1, createdAt: at }),
    rollBackScenario: async () => notFound("scenario"),
    deleteScenario: async () => notFound("scenario"),
    fetch: async () => new Response(null, { status: 404 }),
  };
};

const trainerService = (): TrainerApi => ({
  ready: up,
  applyRetention: async () => ok({}),
  recalibrate: async (_application, { seed }) =>
    ok({
      id: "r1",
      status: "queued",
      step: "queued",
      progress: 0,
      startedAt: at,
      updatedAt: at,
      parent: null,
      version: null,
      reasons: [],
      figures: { seed },
    }),
  getRecalibration: async () => notFound("recalibration"),
  evaluate: async (_application, input) =>
    ok({
      id: "e1",
      status: "queued",
      step: "queued",
      progress: 0,
      startedAt: at,
      updatedAt: at,
      input,
      result: null,
      reasons: [],
    }),
  getEvaluation: async () => notFound("evaluation"),
  listEvaluations: async () => ok([]),
  resumeInterrupted: async () => ok({ running: 0, resumed: 0 }),
  compactLogs: async () => ok({ steps: 0, batches: 0, segments: 0, damaged: 0, failed: 0, hasMore: false }),
  recalibrateAll: async () => ok({ started: 0 }),
});

/**
 * Creates in-memory stand-ins of the services that the gateway calls. Products and profiles are stored in maps; all
 * else answers with fixed or empty results. A test replaces single methods to observe calls or to make them fail.
 */
export const inMemoryServices = (): GatewayServices => ({
  recommendation: recommendationService(),
  user: userService(),
  product: productService(),
  location: locationService(),
  trainer: trainerService(),
});
