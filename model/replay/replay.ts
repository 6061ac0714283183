import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { localOffset } from "../../shared/geo/local-time.ts";
import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";
import type { Candidate } from "../features/compute.ts";
import { gather } from "../pipeline/gather-candidates.ts";
import type { Places, Ranker } from "../pipeline/ports.ts";
import { maxCandidates, type PipelineAnswer, recommend } from "../pipeline/recommend.ts";
import { applyInteraction } from "../profile/apply.ts";
import { hourOf, newPerson, type Person } from "../profile/profile.ts";
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
  readonly #places: Places;
  readonly #people = new Map<string, Person>();
  readonly #met = new Map<string, Set<string>>();
  #observed = 0;

  constructor(items: ReadonlyMap<string, DatasetItem>, places: Places) {
    this.#items = items;
    this.#places = places;
  }

  /** What is remembered of a person; someone new is empty. */
  person(userId: string): Person {
    return this.#people.get(userId) ?? newPerson();
  }

  /** Whether the person dealt with the product before, ever. */
  hasMet(userId: string, itemId: string): boolean {
    return this.#met.get(userId)?.has(itemId) ?? false;
  }

  /** Takes an event into its person. */
  observe(event: DatasetEvent): void {
    const person = this.person(event.userId);
    this.#people.set(event.userId, person);
    const interaction = interactionOf(event, this.#items, this.#observed++);
    applyInteraction(person, interaction, offsetOf(interaction));
    const met = this.#met.get(event.userId) ?? new Set<string>();
    this.#met.set(event.userId, met.add(event.itemId));
  }

  /** The candidates of the serving pipeline, were its bound on them `limit`. */
  async candidates(question: Question, limit: number, firstStage: FirstStage): Promise<Candidate[]> {
    const person = this.person(question.userId);
    const point = question.point === undefined ? person.location : question.point;
    const now = question.time;
    const hour = hourOf(now + localOffset(point?.lat ?? null, point?.lon ?? null, now));
    const query = { person, point, now, hour, filter: {}, limit, firstStage };
    return (await gather(query, this.#places)).candidates;
  }

  /** The serving pipeline's answer: same sources, features, ranker and rules. */
  ask(question: Question, ranker: Ranker, clock: () => number): Promise<PipelineAnswer> {
    const person = this.person(question.userId);
    const point = question.point === undefined ? person.location : question.point;
    return recommend(
      {
        person,
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
