import { hash53 } from "../../../columns/hash.ts";
import { type Exploration, explore, type ItemInPlay } from "../../../experiments/exploration.ts";
import { Corrections, type LoggedExample } from "../../../recalibrate/logged-examples.ts";
import { sigmoid } from "../../../sigmoid.ts";
import { funnelProbability, utilityTermNames } from "../../../simulate/ground-truth.ts";
import { type Simulation, simulate } from "../../../simulate/simulate.ts";
import { Random } from "../../../train/random.ts";
import { type ListInPlay, listInPlay } from "../list-in-play.ts";
import { type OutcomeMetric, outcomeMetrics } from "../list-sums.ts";
import { type TargetList, type TargetPolicy, targetListOf } from "../target-list.ts";

const limit = 10;
/** Candidates that are logged besides those in play, at most. */
const sampledRows = 10;
/** Share of the lists without a click that are logged, each with the inverse weight. */
const keptWithoutClick = 0.25;
/** Squares of a product: degrees of latitude and longitude of each side. */
const squareDegrees = [0.002, 0.01, 0.04];

/** How a model of a simulated market weighs what it sees of a product: the terms of the utility, and its own errors. */
export interface SimulatedModel {
  weights: Partial<Record<(typeof utilityTermNames)[number], number>>;
  /** Standard deviation of the model's error of a utility. */
  error: number;
}

/** A simulated market, with the model that serves and the policy in question. */
export interface OffPolicyWorld {
  serving: SimulatedModel;
  /** A model in place of the one that serves, and rules on top. */
  target: { model?: SimulatedModel; rules?: TargetPolicy["rules"] };
  exploration: Exploration;
  /** Products that are ranked for each list. */
  candidates: number;
  /** Users look at position k with the probability k ** -bias. */
  bias: number;
  seed: number;
}

/** What is true of a list, or of many on average. */
export interface SimulatedTruth {
  /** Expected outcomes of the order of the log. */
  current: Record<OutcomeMetric, number>;
  /** Expected outcomes of the policy in question, which orders the products in play. */
  target: Record<OutcomeMetric, number>;
  /** Expected outcomes of the policy in question, which orders all candidates. */
  whole: Record<OutcomeMetric, number>;
  /** Share of the positions of the policy in question that products take which the log never shows. */
  outside: number;
}

/** A list that was shown in the simulation, with what is true of it. */
interface SimulatedList {
  list: ListInPlay;
  target: TargetList;
  truth: SimulatedTruth;
}

/** Shows lists to the users of a simulated market. */
export class SimulatedLog {
  readonly #world: OffPolicyWorld;
  readonly #simulation: Simulation;
  readonly #productsByCity: string[][];
  readonly #activity: number[];

  constructor(world: OffPolicyWorld) {
    this.#world = world;
    const size = { products: 400, users: 300, events: 300, days: 14, cities: 2 };
    this.#simulation = simulate(size, world.seed, Date.UTC(2026, 0, 20) / 1000);
    const { dataset, users } = this.#simulation;
    const items = [...dataset.items.values()];
    const cities = [...new Set(items.map(({ attributes }) => String(attributes.city)))];
    this.#productsByCity = cities.map((city) =>
      items.filter(({ attributes }) => attributes.city === city).map(({ id }) => id),
    );
    const random = new Random(world.seed);
    this.#activity = users.map(() => Math.exp(0.8 * random.normal()));
  }

  /** Yields lists that were logged: those without a click by a share, with their weight. */
  *logged(lists: number, seed: number): Generator<SimulatedList> {
    const random = new Random(seed);
    for (let i = 0; i < lists; i++) {
      const shown = this.#show(random, i);
      if (shown !== null) yield shown;
    }
  }

  /** Returns what is true on average, over as many lists. */
  truth(lists: number): SimulatedTruth {
    const random = new Random(this.#world.seed + 99);
    const truth = {
      current: { clicks: 0, purchases: 0 },
      target: { clicks: 0, purchases: 0 },
      whole: { clicks: 0, purchases: 0 },
      outside: 0,
    };
    for (let i = 0; i < lists; i++) {
      const shown = this.#show(random, i, true)?.truth;
      if (shown === undefined) continue;
      truth.outside += shown.outside / lists;
      for (const policy of ["current", "target", "whole"] as const)
        for (const metric of outcomeMetrics) truth[policy][metric] += shown[policy][metric] / lists;
    }
    return truth;
  }

  /** Shows a list to a random user; null if it is not logged. With `keepAll`, each is logged. */
  #show(random: Random, number: number, keepAll = false): SimulatedList | null {
    const { serving, target: question, exploration, candidates, bias } = this.#world;
    const { users, truth } = this.#simulation;
    const user = users[random.weightedIndex(this.#activity)];
    const products = this.#productsByCity[user.city % this.#productsByCity.length];
    const ids = random
      .shuffle(products.map((_, i) => i))
      .slice(0, candidates)
      .map((i) => products[i]);
    const time = Date.UTC(2026, 0, 5) / 1000 + random.next() * 14 * 86_400;
    const terms = truth.termsOfAll(user, ids, { time, lat: user.lat, lon: user.lon, lastCategory: -1 });
    const utilities = terms.map((each) => each.reduce((sum, term) => sum + term, 0));
    const scoreBy = ({ weights, error }: SimulatedModel): number[] =>
      terms.map((each) => {
        const seen = each.reduce((sum, term, i) => sum + term * (weights[utilityTermNames[i]] ?? 0), 0);
        return sigmoid(seen + error * random.normal() - 1);
      });
    const scores = scoreBy(serving);
    const targetScores = question.model && scoreBy(question.model);
    const ranking = ids.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
    const inPlay = explore(ranking, limit, exploration, () => random.next());
    const others = random.shuffle(ranking.slice(limit + exploration.depth));
    const clickOf = (i: number): number => funnelProbability.click(utilities[i]);
    const purchaseOf = (i: number): number =>
      clickOf(i) * funnelProbability.cart(utilities[i]) * funnelProbability.purchase(utilities[i]);
    const outcomes = new Map<number, "click" | "purchase">();
    for (const { item, position } of inPlay) {
      if (position === 0 || random.next() >= position ** -bias || random.next() >= clickOf(item)) continue;
      outcomes.set(item, random.next() < purchaseOf(item) / clickOf(item) ? "purchase" : "click");
    }
    if (outcomes.size === 0 && !keepAll && random.next() >= keptWithoutClick) return null;
    const rowOf = ({ item, rank, position, propensity }: ItemInPlay<number>) => {
      const { category = "", lat = 0, lon = 0 } = this.#simulation.dataset.items.get(ids[item]) ?? {};
      return {
        ...{ product: hash53(ids[item]), category, position, propensity, rank },
        ...{ score: scores[item], listScore: scores[item], outcome: outcomes.get(item) ?? null },
        squares: squareDegrees.map(
          (side) => Math.floor((lat ?? 0) / side) * 100_000 + Math.floor((lon ?? 0) / side),
        ),
      };
    };
    const logged = [...inPlay, ...others.map((item) => ({ item, rank: 0, position: 0, propensity: 0 }))];
    const example: LoggedExample = {
      ...{ id: number, time, pseudonym: user.id, country: null },
      ...{ modelVersion: "serving", variant: "default", candidates: ids.length },
      weight: outcomes.size === 0 && !keepAll ? 1 / keptWithoutClick : 1,
      rows: logged.slice(0, inPlay.length + sampledRows).map(rowOf),
      features: new Uint8Array(),
    };
    const list = listInPlay(example, new Corrections());
    if (typeof list === "string") throw new Error(`the simulated list is ${list}`);
    const policy = {
      rules: question.rules ?? {},
      modelScores: targetScores && logged.map(({ item }) => targetScores[item]),
    };
    const target = targetListOf(list, policy);
    // What the policy would show of all candidates.
    const all = logged.map((each, row) => ({ ...list.inPlay[0], ...rowOf(each), row }));
    const whole = targetListOf({ ...list, inPlay: all, sampled: [] }, policy).products;
    const items = logged.map(({ item }) => item);
    const sumOf = (shown: readonly { row: number }[], outcomeOf: (item: number) => number): number =>
      shown.reduce((sum, { row }, i) => sum + (i + 1) ** -bias * outcomeOf(items[row]), 0);
    const valuesOf = (shown: readonly { row: number }[]) => ({
      clicks: sumOf(shown, clickOf),
      purchases: sumOf(shown, purchaseOf),
    });
    return {
      ...{ list, target },
      truth: {
        current: valuesOf(list.inPlay.slice(0, limit)),
        target: valuesOf(target.products),
        whole: valuesOf(whole),
        outside: whole.filter(({ row }) => row >= inPlay.length).length / limit,
      },
    };
  }
}
