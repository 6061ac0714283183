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

/** Behavior before the season. The hour has no effect, so that the result does not depend on when the test runs. */
export const regularBehavior: Season = { weights: { hour: 0 }, discount: 0 };

/**
 * Behavior in the sales season: users prefer discounted products, taste matters less, and nobody buys a product again. So
 * the weights that the serving model learned for discounts, tastes, hours and repeated purchases are wrong, and the users'
 * history does not correct them. The hour has no effect, so that the result does not depend on when the test runs.
 */
export const salesBehavior: Season = { weights: { taste: 0.4, hour: 0, loyalty: -1 }, discount: 8 };

/** A request for recommendations by a user at a location; the same in each application that is compared. */
export interface SimulatedVisit {
  user: SimulatedUser;
  location: Point;
  /** Seed of the random draws that decide which events the user sends. */
  seed: number;
}

const kmPerDegree = 111.2;
/** Standard deviation of the distance between a visit and the home of its user, in each direction. */
const visitSpreadKm = 1.5;

/** Draws the visits of a day: random users, each within a few kilometers of their home. */
export function drawVisits(users: readonly SimulatedUser[], count: number, day: number): SimulatedVisit[] {
  const random = new Random(1000 + day);
  return Array.from({ length: count }, () => {
    const user = users[random.below(users.length)];
    const km = (): number => visitSpreadKm * random.normal();
    const lat = user.lat + km() / kmPerDegree;
    const lon = user.lon + km() / (kmPerDegree * Math.cos((user.lat * Math.PI) / 180));
    return { user, location: { lat, lon }, seed: random.below(2 ** 31) };
  });
}

/** Simulated users with their history and the ground truth of their behavior, which the stack cannot see. */
export class UserPopulation {
  readonly users: readonly SimulatedUser[];
  readonly marketplace: Marketplace;
  readonly #truth: GroundTruth;
  readonly #history: readonly { userId: string; itemId: string }[];

  constructor(size: SimulationSize, seed: number, now: number) {
    const { dataset, users, truth } = simulate(size, seed, now);
    this.users = users;
    this.#truth = truth;
    this.marketplace = toMarketplace(dataset, { shift: 0 });
    const { train, valid, test } = dataset;
    this.#history = [...train, ...valid, ...test].filter(({ type }) => type === "purchase");
  }

  /** Returns the number of past purchases by user id and product id, as a new copy for each application. */
  copyPurchases(): Map<string, Map<string, number>> {
    const purchasesByUser = new Map<string, Map<string, number>>(this.users.map(({ id }) => [id, new Map()]));
    for (const { userId, itemId } of this.#history) {
      const counts = purchasesByUser.get(userId);
      counts?.set(itemId, (counts.get(itemId) ?? 0) + 1);
    }
    return purchasesByUser;
  }

  /**
   * Returns the events of a visitor who sees a list at a time (seconds since the epoch) of a season: the visitor clicks some
   * products, adds some of these to the cart, and buys some of those. `expected` is the expected number of purchases: the sum
   * of the probabilities, without the noise of the draws.
   */
  react(
    { user, location: at, seed }: SimulatedVisit,
    list: readonly string[],
    time: number,
    season: Season,
    bought: ReadonlyMap<string, number>,
  ): { expected: number; events: { productId: string; type: EventType }[] } {
    const truth = this.#truth.inSeason(season);
    const situation: Situation = { time, ...at, lastCategory: -1 };
    const random = new Random(seed);
    let expected = 0;
    const events: { productId: string; type: EventType }[] = [];
    for (const productId of list) {
      expected += truth.purchaseProbability(user, productId, situation, bought);
      const utility = truth
        .utilityTerms(user, productId, situation, bought)
        .reduce((sum, part) => sum + part, 0);
      for (const type of ["click", "cart", "purchase"] as const) {
        if (random.next() >= funnelProbability[type](utility)) break;
        events.push({ productId, type });
      }
    }
    return { expected, events };
  }
}
