import {
  funnelProbability,
  type GroundTruth,
  type Season,
  type SimulatedUser,
  type Situation,
} from "../../model/simulate/ground-truth.ts";
import { type SimulationSize, simulate } from "../../model/simulate/simulate.ts";
import { Random } from "../../model/train/random.ts";
import { type Marketplace, toMarketplace } from "../../scripts/marketplace/marketplace.ts";
import type { EventType } from "../../shared/contracts/event.ts";
import type { Point } from "../../shared/contracts/primitives.ts";

/** Before it: as people are, but at any hour, so that a day does not differ from the next by when it is lived here. */
export const regularBehavior: Season = { weights: { hour: 0 }, discount: 0 };

/**
 * The season that begins: the sales. What is reduced is wanted, nearly whatever it is and at any hour, and nobody buys again
 * what they have. What the serving model learnt of discounts, of tastes, of hours and of repeats is wrong now, and people's
 * own history, which it reads, does not tell it so. And what is wanted does not depend on when this runs.
 */
export const salesBehavior: Season = { weights: { taste: 0.4, hour: 0, loyalty: -1 }, discount: 8 };

/** Where and by whom something is asked for, the same in each world that is compared. */
export interface SimulatedVisit {
  user: SimulatedUser;
  location: Point;
  /** Decides what the visitor does. */
  seed: number;
}

const kmPerDegree = 111.2;

/** Who comes on a day: people by chance, within a few kilometres of where they live. */
export function drawVisits(users: readonly SimulatedUser[], count: number, day: number): SimulatedVisit[] {
  const random = new Random(1000 + day);
  return Array.from({ length: count }, () => {
    const user = users[random.below(users.length)];
    const km = (): number => 1.5 * random.normal();
    const lat = user.lat + km() / kmPerDegree;
    const lon = user.lon + km() / (kmPerDegree * Math.cos((user.lat * Math.PI) / 180));
    return { user: user, location: { lat, lon }, seed: random.below(2 ** 31) };
  });
}

/** What people did, and what they will do: known to nobody but the simulator. */
export class UserPopulation {
  readonly users: readonly SimulatedUser[];
  readonly marketplace: Marketplace;
  readonly #truth: GroundTruth;
  readonly #history: readonly { userId: string; itemId: string }[];

  constructor(size: SimulationSize, seed: number, now: number) {
    const { dataset, users, truth } = simulate(size, seed, now);
    this.users = users;
    this.#truth = truth;
    this.marketplace = toMarketplace(dataset, 0);
    const { train, valid, test } = dataset;
    this.#history = [...train, ...valid, ...test].filter(({ type }) => type === "purchase");
  }

  /** Purchases of each user so far, by product: a copy for a world of its own. */
  copyPurchases(): Map<string, Map<string, number>> {
    const all = new Map<string, Map<string, number>>(this.users.map(({ id }) => [id, new Map()]));
    for (const { userId, itemId } of this.#history) {
      const own = all.get(userId);
      own?.set(itemId, (own.get(itemId) ?? 0) + 1);
    }
    return all;
  }

  /**
   * What a visitor does with a list at a time (seconds) of a season: every product is looked at, some are clicked, of these
   * some put in the cart, of these some bought. Beside it the purchases that were to be expected of the list, by the
   * probabilities themselves: without the noise of what happened.
   */
  react(
    { user, location: at, seed }: SimulatedVisit,
    list: readonly string[],
    time: number,
    season: Season,
    bought: ReadonlyMap<string, number>,
  ): { expected: number; deeds: { productId: string; type: EventType }[] } {
    const truth = this.#truth.inSeason(season);
    const situation: Situation = { time, ...at, lastCategory: -1 };
    const random = new Random(seed);
    let expected = 0;
    const deeds: { productId: string; type: EventType }[] = [];
    for (const productId of list) {
      expected += truth.purchaseProbability(user, productId, situation, bought);
      const utility = truth
        .utilityTerms(user, productId, situation, bought)
        .reduce((sum, part) => sum + part, 0);
      for (const type of ["click", "cart", "purchase"] as const) {
        if (random.next() >= funnelProbability[type](utility)) break;
        deeds.push({ productId, type });
      }
    }
    return { expected, deeds };
  }
}
