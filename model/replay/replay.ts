import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { localOffset } from "../../shared/geo/local-time.ts";
import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";
import type { Candidate } from "../features/compute.ts";
import { gather } from "../pipeline/gather-candidates.ts";
import type { CandidateService, Ranker } from "../pipeline/ports.ts";
import { maxCandidates, type PipelineAnswer, recommend } from "../pipeline/recommend.ts";
import { applyInteraction } from "../profile/apply.ts";
import { emptyProfile, hourOf, type UserProfile } from "../profile/profile.ts";
import { interactionOf, offsetOf } from "./world.ts";

/** What is asked of the serving pipeline. */
export interface Question {
  userId: string;
  /** Seconds since the epoch. */
  time: number;
  /** Where the person says that they are; without it they are where they were last. */
  point?: Point | null;
  limit: number;
}

/** People as their objects would remember them, event by event, in a world that stands still. */
export class Replay {
  readonly #items: ReadonlyMap<string, DatasetItem>;
  readonly #places: CandidateService;
  readonly #people = new Map<string, UserProfile>();
  readonly #met = new Map<string, Set<string>>();
  #observed = 0;

  constructor(items: ReadonlyMap<string, DatasetItem>, places: CandidateService) {
    this.#items = items;
    this.#places = places;
  }

  /** What is remembered of a person; someone new is empty. */
  person(userId: string): UserProfile {
    return this.#people.get(userId) ?? emptyProfile();
  }

  /** Whether the person dealt with the product before, ever. */
  hasMet(userId: string, itemId: string): boolean {
    return this.#met.get(userId)?.has(itemId) ?? false;
  }

  /** Takes an event into its person. */
  observe(event: DatasetEvent): void {
    const profile = this.person(event.userId);
    this.#people.set(event.userId, profile);
    const interaction = interactionOf(event, this.#items, this.#observed++);
    applyInteraction(profile, interaction, offsetOf(interaction));
    const met = this.#met.get(event.userId) ?? new Set<string>();
    this.#met.set(event.userId, met.add(event.itemId));
  }

  /** The candidates of the serving pipeline, were its bound on them `limit`. */
  async candidates(question: Question, limit: number, firstStage: FirstStage): Promise<Candidate[]> {
    const profile = this.person(question.userId);
    const point = question.point === undefined ? profile.location : question.point;
    const now = question.time;
    const hour = hourOf(now + localOffset(point?.lat ?? null, point?.lon ?? null, now));
    const query = { profile, point, now, hour, filter: {}, limit, firstStage };
    return (await gather(query, this.#places)).candidates;
  }

  /** The serving pipeline's answer: same sources, features, ranker and rules. */
  ask(question: Question, ranker: Ranker, clock: () => number): Promise<PipelineAnswer> {
    const profile = this.person(question.userId);
    const point = question.point === undefined ? profile.location : question.point;
    return recommend(
      {
        profile,
        point,
        now: question.time,
        offsetSeconds: localOffset(point?.lat ?? null, point?.lon ?? null, question.time),
        filter: {},
        rules: { limit: question.limit },
        maxCandidates,
        explain: false,
        budgetMs: Number.POSITIVE_INFINITY,
      },
      { places: this.#places, rankers: [ranker], clock },
    );
  }
}
