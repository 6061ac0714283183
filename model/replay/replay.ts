import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";
import type { Candidate } from "../features/compute-features.ts";
import { fetchCandidates } from "../pipeline/fetch-candidates.ts";
import type { CandidateService, Ranker } from "../pipeline/ports.ts";
import { maxCandidates, type PipelineAnswer, runPipeline } from "../pipeline/run-pipeline.ts";
import { applyInteraction } from "../profile/apply-interaction.ts";
import { emptyProfile, type UserProfile } from "../profile/profile.ts";
import { defaultHistoryRules } from "../rules/hidden-products.ts";
import { interactionOffset, toInteraction } from "./interaction.ts";

/** A query for the serving pipeline. */
export interface ReplayQuery {
  userId: string;
  /** Seconds since the epoch. */
  time: number;
  /** The user's location; if undefined, the last known one. */
  point?: Point | null;
  limit: number;
}

/** Replays events into user profiles, and runs the serving pipeline on the profiles over a fixed catalog. */
export class Replay {
  readonly #items: ReadonlyMap<string, DatasetItem>;
  readonly #candidateService: CandidateService;
  readonly #profiles = new Map<string, UserProfile>();
  readonly #chosen = new Map<string, Set<string>>();
  #appliedEvents = 0;

  constructor(items: ReadonlyMap<string, DatasetItem>, candidateService: CandidateService) {
    this.#items = items;
    this.#candidateService = candidateService;
  }

  /** Returns the profile of a user; an empty one for a new user. */
  profile(userId: string): UserProfile {
    return this.#profiles.get(userId) ?? emptyProfile();
  }

  /** Returns whether the user ever chose the product. */
  hasChosen(userId: string, itemId: string): boolean {
    return this.#chosen.get(userId)?.has(itemId) ?? false;
  }

  /** Applies an event to its user's profile. */
  applyEvent(event: DatasetEvent): void {
    const profile = this.profile(event.userId);
    this.#profiles.set(event.userId, profile);
    const interaction = toInteraction(event, this.#items, this.#appliedEvents++);
    applyInteraction(profile, interaction, interactionOffset(interaction));
    if (event.type === "dismiss") return;
    const items = this.#chosen.get(event.userId) ?? new Set<string>();
    this.#chosen.set(event.userId, items.add(event.itemId));
  }

  /** Returns the candidates that the serving pipeline would rank with at most `limit` candidates. */
  async candidates(query: ReplayQuery, limit: number, firstStage: FirstStage): Promise<Candidate[]> {
    const profile = this.profile(query.userId);
    const point = query.point === undefined ? profile.location : query.point;
    const now = query.time;
    const hour = localHourOf(now + utcOffsetAt(point?.lat ?? null, point?.lon ?? null, now));
    const candidateQuery = { profile, point, now, hour, filter: {}, limit, firstStage };
    return (await fetchCandidates(candidateQuery, this.#candidateService)).candidates;
  }

  /** Returns the serving pipeline's answer, by the same sources, features, ranker and rules. */
  recommend(query: ReplayQuery, ranker: Ranker, clock: () => number): Promise<PipelineAnswer> {
    const profile = this.profile(query.userId);
    const point = query.point === undefined ? profile.location : query.point;
    return runPipeline(
      {
        profile,
        point,
        now: query.time,
        offsetSeconds: utcOffsetAt(point?.lat ?? null, point?.lon ?? null, query.time),
        filter: {},
        rules: { limit: query.limit },
        historyRules: defaultHistoryRules,
        maxCandidates,
        explain: false,
        budgetMs: Number.POSITIVE_INFINITY,
      },
      { candidateService: this.#candidateService, rankers: [ranker], clock },
    );
  }
}
