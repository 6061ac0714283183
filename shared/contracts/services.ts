import type { DeadLetter, DeadLetterWithBody, ReplayedDeadLetter } from "./dead-letter.ts";
import type { Erasure } from "./erasure.ts";
import type { AcceptedInteraction, EventInput, EventReceipt } from "./event.ts";
import type { ExportItem } from "./export.ts";
import type {
  AnswerLocation,
  EdgeLocation,
  NearbyAnswer,
  NearbyQuery,
  ResolvedLocation,
} from "./location.ts";
import type { ModelDetails, ModelManifest, ModelOrigin, ModelRecord } from "./model.ts";
import type { Point, Precision } from "./primitives.ts";
import type {
  BulkReport,
  CardRequest,
  Product,
  ProductCard,
  ProductChange,
  ProductInput,
  ProductPatch,
} from "./product.ts";
import type { PlaceVisit } from "./queues.ts";
import type { CellContent, ProductPosition, ProductRange, RebuildStep } from "./rebuild.ts";
import type { RecalibrationInput, RecalibrationRecord } from "./recalibration.ts";
import type { RecommendationAnswer, RecommendationInput, RecommendationReceipt } from "./recommendation.ts";
import type { Result } from "./result.ts";
import type { RemovedCounts, Retention } from "./retention.ts";
import type { CandidateBlocks, CandidateRequest, FirstStageQuery, ProductRef } from "./retrieval.ts";
import type { ProductTotals, Totals, Transition, UnknownProduct } from "./totals.ts";
import type { LocationInput, User, UserInput, UserInteraction, UserPatch } from "./user.ts";

/** One page of a list. */
export interface Page<T> {
  items: T[];
  nextCursor?: string;
}
export interface PageQuery {
  limit: number;
  cursor?: string;
}

/** Whether a worker can serve; `detail` says what is missing, in one line. */
export interface Readiness {
  ready: boolean;
  detail: string;
}

/** Every worker answers this. */
export interface ReadinessApi {
  ready(): Promise<Readiness>;
}

/** A worker whose stores age. */
export interface RetentionApi {
  /** Removes what has outlived its time, a bounded step of each kind, and answers how much that was. */
  applyRetention(retention: Retention): Promise<Result<RemovedCounts>>;
}

/** What a person's object must know of their profile. `version` grows with each change; the newest is kept. */
export interface UserSettings {
  home: Point | null;
  precision: Precision;
  version: number;
}

/** One life of a person: what comes after an erasure is of another. */
export interface UserGeneration {
  userId: string;
  /** Their pseudonym. */
  pseudonym: string;
  generation: number;
}

/** An erased person, by pseudonym: nothing of this generation, or one before, is theirs any more. */
export interface Tombstone {
  pseudonym: string;
  generation: number;
}

/** Rows that a step of an erasure removed from the records; `more` while some are left. */
export interface ErasedRecords {
  interactions: number;
  locations: number;
  profiles: number;
  more: boolean;
}

/** Where a person was, as they may read it. */
export interface UserVisit {
  location: Point;
  /** The precision that they allowed then, at which it is kept. */
  precision: string;
  timestamp: string;
}

/** People: profiles, consent, interactions, totals, location history. */
export interface UserApi extends ReadinessApi, RetentionApi {
  /** Creates or replaces. */
  put(
    application: string,
    userId: string,
    input: UserInput,
  ): Promise<Result<{ user: User; created: boolean; settings: UserSettings }>>;
  get(application: string, userId: string): Promise<Result<User>>;
  patch(
    application: string,
    userId: string,
    patch: UserPatch,
  ): Promise<Result<{ user: User; settings: UserSettings }>>;
  list(application: string, page: PageQuery): Promise<Result<Page<User>>>;
  /**
   * Inserts what is unseen (identity: application, user, event) and changes the hourly totals by exactly
   * that, in one D1 transaction. Creates unknown people. Answers the hours named of every product named, absolute.
   */
  recordInteractions(
    application: string,
    batch: (UserGeneration & { interactions: AcceptedInteraction[] })[],
  ): Promise<Result<{ inserted: number; totals: ProductTotals[] }>>;
  recordLocations(
    application: string,
    batch: (UserGeneration & { visits: PlaceVisit[] })[],
  ): Promise<Result<{ inserted: number }>>;
  /** Newest first. */
  listInteractions(
    application: string,
    userId: string,
    page: PageQuery,
  ): Promise<Result<Page<UserInteraction>>>;
  /** Where the person was, oldest first. */
  listVisits(application: string, userId: string, page: PageQuery): Promise<Result<Page<UserVisit>>>;
  /** What the person's object must know; null for someone without a profile. */
  getSettings(application: string, userId: string): Promise<Result<UserSettings | null>>;
  /** Lifetime totals, in the order of the ids; zeros for a product without any. */
  lifetimeTotals(application: string, productIds: string[]): Promise<Result<Totals[]>>;
  /** Absolute totals of all hours, in the order of the ids: what cells are told that know nothing of a product. */
  hourlyTotals(application: string, productIds: string[]): Promise<Result<ProductTotals[]>>;
  /**
   * Makes the totals of the next products (`limit`, by id) anew from the interactions, in one transaction. `position` is
   * the answer of the call before, null for the first; the last answers null.
   */
  rebuildTotals(
    application: string,
    position: string | null,
    limit: number,
  ): Promise<Result<{ products: number; next: string | null }>>;
  /**
   * Sets the tombstone that `record` and `recordLocations` honour, and removes some thousand rows; to be called until
   * there are no more, before the person's object begins a new life.
   */
  eraseRecords(application: string, life: UserGeneration): Promise<Result<ErasedRecords>>;
  /** The tombstones among these pseudonyms, at most 10,000. */
  findTombstones(application: string, pseudonyms: string[]): Promise<Result<Tombstone[]>>;
}

/** Messages of a worker's queues that could not be consumed. Ids are `queue~hash`; an unknown one is `not_found`. */
export interface DeadLetterApi {
  /** By id, ascending, at most 100 a page. */
  listDeadLetters(application: string, page: PageQuery): Promise<Result<Page<DeadLetter>>>;
  getDeadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>>;
  /** Delivers it and forgets it; `conflict` for a message of no known form, `unavailable` where it failed again. */
  replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>>;
  discardDeadLetter(application: string, id: string): Promise<Result<null>>;
}

/** The catalogue. */
export interface ProductApi extends ReadinessApi, RetentionApi, DeadLetterApi {
  put(application: string, input: ProductInput): Promise<Result<{ product: Product; created: boolean }>>;
  get(application: string, productId: string): Promise<Result<Product>>;
  patch(application: string, productId: string, patch: ProductPatch): Promise<Result<Product>>;
  remove(application: string, productId: string): Promise<Result<null>>;
  list(application: string, page: PageQuery & { category?: string }): Promise<Result<Page<Product>>>;
  /** Parsed products of one bulk request (at most 500 a call); the last of equal ids wins. */
  putMany(application: string, products: ProductInput[]): Promise<Result<{ written: number }>>;
  /** Cards of the known products among those wanted, in no order. */
  getCards(application: string, wanted: readonly CardRequest[]): Promise<Result<ProductCard[]>>;
  putImage(
    application: string,
    productId: string,
    n: number,
    bytes: ArrayBuffer,
  ): Promise<Result<{ path: string; sha256: string; contentType: string }>>;
  /** Path of the n-th image (from 0). */
  imagePath(application: string, productId: string, n: number): Promise<Result<{ path: string }>>;
  imageBytes(
    application: string,
    sha256: string,
  ): Promise<Result<{ bytes: ArrayBuffer; contentType: string }>>;
  /** The next `limit` products after `after`, by address and id: what cells must hold. */
  listByAddress(
    application: string,
    after: ProductPosition | null,
    limit: number,
  ): Promise<Result<{ cell: string; change: ProductChange }[]>>;
  /** Sends outbox rows that no consumer has confirmed; what the cron calls. Answers how many remain open. */
  resendOutbox(): Promise<Result<{ open: number }>>;
}

/** Places: gazetteer, precision of coordinates, spatial index. Columns are encoded by `model/columns`. */
export interface LocationApi extends ReadinessApi {
  resolveLocation(point: Point): Promise<Result<ResolvedLocation>>;
  /** The point at the given precision, with its city. `city` moves it to the city's centre, or that of a cell as large. */
  coarsen(point: Point, precision: Precision): Promise<Result<{ point: Point; place: ResolvedLocation }>>;
  /** City and point from what the edge knows; null where it knows nothing. */
  edgePoint(edge: EdgeLocation): Promise<Result<Point | null>>;
  nearby(application: string, query: NearbyQuery): Promise<Result<NearbyAnswer>>;
  /** All that a recommendation reads of places, columns packed, with the names of where the person is. */
  gatherCandidates(
    application: string,
    query: CandidateRequest,
  ): Promise<Result<CandidateBlocks<ArrayBuffer>>>;
  /**
   * Columns of the best `limit` products for a person's places by the cheap first stage, filtered, with the world's
   * best where the place is sparse. `point` null and no usual place: the world's best.
   */
  firstStageCandidates(application: string, query: FirstStageQuery): Promise<Result<ArrayBuffer>>;
  /**
   * Columns of the named products, wherever they are now; those unknown are left out. The first `withNeighbours` come
   * with what is often chosen next.
   */
  productColumns(
    application: string,
    wanted: readonly ProductRef[],
    withNextProducts: number,
  ): Promise<Result<ArrayBuffer>>;
  /** Idempotent by product version. */
  applyProductChanges(application: string, changes: ProductChange[]): Promise<Result<{ applied: number }>>;
  /** Makes cells hold, of a range of products, exactly these, without neighbours. Answers how many cells it were. */
  rebuildCall(
    application: string,
    range: ProductRange,
    products: CellContent[],
  ): Promise<Result<{ cells: number }>>;
  /**
   * Idempotent by what an hour counts and by transition key. Answers how many interactions were news, and the products that
   * some hours say too little of: their cells want them whole.
   */
  applyTotals(
    application: string,
    totals: (ProductTotals & { cell: string })[],
    transitions: (Transition & { fromCell: string })[],
  ): Promise<Result<{ applied: number; unknown: UnknownProduct[] }>>;
}

/** Ranking, the event path, the model registry. */
export interface RecommendationApi extends ReadinessApi, RetentionApi, DeadLetterApi {
  recommend(
    application: string,
    input: RecommendationInput,
    edge: EdgeLocation,
  ): Promise<Result<RecommendationAnswer>>;
  similar(application: string, productId: string, limit: number): Promise<Result<RecommendationList>>;
  trending(application: string, point: Point | null, limit: number): Promise<Result<RecommendationList>>;
  receipt(application: string, recommendationId: string): Promise<Result<RecommendationReceipt>>;
  /** 1-100 events as the client sent them; each is durable in its person before this answers. */
  ingestEvents(application: string, events: EventInput[]): Promise<Result<EventReceipt>>;
  /** History, at most 4,000 events a call, without the outbox: answers after D1, people and cells hold it. */
  ingestHistory(
    application: string,
    events: EventInput[],
  ): Promise<Result<Omit<BulkReport, "received" | "errors">>>;
  setLocation(
    application: string,
    userId: string,
    input: LocationInput,
  ): Promise<Result<{ location: AnswerLocation }>>;
  /** Tells the person's object what their profile says now. */
  setUserSettings(application: string, userId: string, settings: UserSettings): Promise<Result<null>>;
  /** Begins to erase a person, or joins what has begun; it goes on by itself until all stores are done. */
  beginErasure(application: string, userId: string): Promise<Result<Erasure>>;
  /** All that is held about a person, wherever it lies. A page may be empty though more follows. */
  exportUser(application: string, userId: string, page: PageQuery): Promise<Result<Page<ExportItem>>>;
  /** How far an erasure is. */
  getErasure(application: string, id: string): Promise<Result<Erasure>>;
  /** One step of making totals, cells and neighbours anew from the records of truth. */
  runRebuildStep(application: string, cursor: string | undefined): Promise<Result<RebuildStep>>;
  listModels(application: string): Promise<Result<ModelRecord[]>>;
  getModel(application: string, version: string): Promise<Result<ModelDetails>>;
  /** Brings versions of all applications further that are on their way; what the cron calls. */
  advanceRollouts(): Promise<Result<{ underWay: number }>>;
  /** Checks and stores a model; an application's first is promoted at once. */
  registerModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
  ): Promise<Result<ModelRecord>>;
  /** The manifest and file of what serves: an application's own, else what is deployed with the code. */
  servingModel(application: string): Promise<Result<{ manifest: ModelManifest; bytes: ArrayBuffer }>>;
  /** Scores lists, packed by `model/features/pack-features.ts`, at most 1000 a call, by the model of that content. */
  scoreLists(application: string, sha256: string, packs: Uint8Array[]): Promise<Result<Float32Array[]>>;
  /** Loads and checks a model that need not be registered, and runs it so often: for who measures the time. */
  tryModel(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    runs: number,
  ): Promise<Result<null>>;
  /** Stores what has passed the gate: it waits for its roll-out. */
  registerCandidate(
    application: string,
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    origin: ModelOrigin,
  ): Promise<Result<ModelRecord>>;
  promote(application: string, version: string): Promise<Result<ModelRecord>>;
  /** Ends a version that is on its way; from one that serves, back to what served before. */
  rollback(application: string, version: string): Promise<Result<ModelRecord>>;
  /** Upgrades to the WebSocket of a person. */
  fetch(request: Request): Promise<Response>;
}

/** A list that is not for one person. */
export interface RecommendationList {
  items: { productId: string; rank: number; score: number; product: Omit<ProductCard, "cell" | "version"> }[];
}

/** The nightly recalibration. */
export interface TrainerApi extends ReadinessApi, RetentionApi {
  /** Counts what the training log of one day holds: objects, examples, outcomes. */
  countTrainingLog(
    application: string,
    day: string,
  ): Promise<Result<{ objects: number; examples: number; outcomes: Record<string, number> }>>;
  /** Begins one, unless one of the application is under way (`conflict`). */
  recalibrate(application: string, input: RecalibrationInput): Promise<Result<RecalibrationRecord>>;
  getRecalibration(application: string, id: string): Promise<Result<RecalibrationRecord>>;
  /** Wakes recalibrations that were interrupted; what the cron calls. */
  resumeInterrupted(): Promise<Result<{ running: number; woken: number }>>;
  /** Begins one for each application that has a training log; what the nightly cron calls. */
  recalibrateAll(): Promise<Result<{ begun: number }>>;
}
