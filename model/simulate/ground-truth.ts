import { distanceKm } from "../../shared/geo/distance.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf, localWeekdayOf } from "../../shared/time/local-clock.ts";
import type { DatasetItem } from "../data/dataset.ts";
import { topIndices } from "../retrieval/top-indices.ts";
import { sigmoid } from "../sigmoid.ts";
import { categoryDemand, simulatedCategories } from "./categories.ts";

/** A product with hidden properties that the recommender cannot observe. */
export interface SimulatedProduct {
  item: DatasetItem;
  /** Index into {@link simulatedCategories}. */
  category: number;
  lat: number;
  lon: number;
  /** Hidden; standard normal. */
  quality: number;
  /** Logarithm of the discounted price relative to the typical price of the category. */
  relativePrice: number;
}

/** A user with hidden preferences that the recommender cannot observe. */
export interface SimulatedUser {
  id: string;
  /** Index of the home city. */
  city: number;
  lat: number;
  lon: number;
  /** Utility of each category. */
  tastes: number[];
  /** Utility lost per unit of {@link SimulatedProduct.relativePrice}. */
  priceSensitivity: number;
  /** Scale of the distance term, in kilometers: its utility is -log(1 + distance / reachKm). */
  reachKm: number;
  /** Factor on the utility of repeat purchases. */
  loyalty: number;
  /** Probability that a session takes place in a random city. */
  awayShare: number;
}

/** When and where a user chooses. */
export interface Situation {
  /** Seconds since the epoch. */
  time: number;
  lat: number;
  lon: number;
  /** Index of the category chosen last in this session; -1 before the first choice. */
  lastCategory: number;
}

/** A situation with local time and the user's purchases of one product. */
interface LocalSituation extends Situation {
  /** Local hour, 0 to 23. */
  hour: number;
  /** 0 (Monday) to 6. */
  weekday: number;
  /** Earlier purchases of the product by the user. */
  bought: number;
}

/** Adds the local hour and weekday to a situation. */
export function withLocalTime(situation: Situation): Omit<LocalSituation, "bought"> {
  const local = situation.time + utcOffsetAt(situation.lat, situation.lon, situation.time);
  return { ...situation, hour: localHourOf(local), weekday: localWeekdayOf(local) };
}

/** Names of the terms of a utility, in the order of {@link utilityTermsOf}. */
export const utilityTermNames = [
  "taste",
  "quality",
  "price",
  "distance",
  "hour",
  "transition",
  "loyalty",
] as const;

/** A change of every user's preferences for a period of time. */
export interface Season {
  /** Factors on the utility terms; default: 1. */
  weights: Partial<Record<(typeof utilityTermNames)[number], number>>;
  /** Utility that a discount of 100% adds, besides the lower price. */
  discount: number;
}

/** The season that changes no preference. */
export const neutralSeason: Season = { weights: {}, discount: 0 };

/** Utility of a category that commonly follows the last one. */
const transitionUtility = 1.2;
/** Weight of quality in the utility. */
const qualityWeight = 0.9;
/** Keeps the logarithm finite for categories without demand at an hour. */
const minDemand = 0.05;

/** Returns the terms of a user's utility for a product in a situation. */
function utilityTermsOf(
  user: SimulatedUser,
  product: SimulatedProduct,
  situation: LocalSituation,
  season: Season,
): number[] {
  const spec = simulatedCategories[product.category];
  const km = distanceKm(situation.lat, situation.lon, product.lat, product.lon);
  const transition =
    situation.lastCategory >= 0 && simulatedCategories[situation.lastCategory].nextCategory === spec.name
      ? transitionUtility
      : 0;
  const terms = [
    user.tastes[product.category],
    qualityWeight * product.quality,
    -user.priceSensitivity * product.relativePrice,
    -Math.log1p(km / user.reachKm),
    Math.log(minDemand + categoryDemand(spec, situation.hour, situation.weekday)),
    transition,
    user.loyalty * Math.log1p(situation.bought),
  ];
  const weighted = terms.map((term, i) => term * (season.weights[utilityTermNames[i]] ?? 1));
  weighted[utilityTermNames.indexOf("price")] += season.discount * product.item.discount;
  return weighted;
}

/** Returns a user's utility for a product in a situation; it decides every simulated choice. */
export const utility = (
  user: SimulatedUser,
  product: SimulatedProduct,
  situation: LocalSituation,
  season: Season = neutralSeason,
): number => utilityTermsOf(user, product, situation, season).reduce((sum, term) => sum + term, 0);

/** Probability of each funnel stage, given the stage before, by utility. */
export const funnelProbability = {
  click: (utility: number): number => sigmoid(utility - 1),
  cart: (utility: number): number => sigmoid(utility - 2),
  purchase: (utility: number): number => sigmoid(utility - 1.5),
};

/** Purchase probabilities of the simulated users: the reference for judging recommendations. */
export class GroundTruth {
  readonly #products: readonly SimulatedProduct[];
  readonly #index: ReadonlyMap<string, number>;
  readonly #season: Season;

  constructor(products: readonly SimulatedProduct[], season: Season = neutralSeason) {
    this.#products = products;
    this.#season = season;
    this.#index = new Map(products.map(({ item }, i) => [item.id, i]));
  }

  /** Returns the ground truth of the same products in another season. */
  inSeason(season: Season): GroundTruth {
    return new GroundTruth(this.#products, season);
  }

  /**
   * Returns the probability that a user who views the product buys it. `purchaseCounts` holds the user's earlier
   * purchases by product id. The probability of an unknown product is zero.
   */
  purchaseProbability(
    user: SimulatedUser,
    productId: string,
    situation: Situation,
    purchaseCounts: ReadonlyMap<string, number>,
  ): number {
    const i = this.#index.get(productId);
    if (i === undefined) return 0;
    return purchaseProbabilityOf(
      user,
      this.#products[i],
      withLocalTime(situation),
      purchaseCounts,
      this.#season,
    );
  }

  /**
   * Returns the terms of a user's utility for a product, in the order of {@link utilityTermNames}; zeros if it is
   * unknown.
   */
  utilityTerms(
    user: SimulatedUser,
    productId: string,
    situation: Situation,
    purchaseCounts: ReadonlyMap<string, number>,
  ): number[] {
    const i = this.#index.get(productId);
    if (i === undefined) return utilityTermNames.map(() => 0);
    const bought = purchaseCounts.get(productId) ?? 0;
    return utilityTermsOf(user, this.#products[i], { ...withLocalTime(situation), bought }, this.#season);
  }

  /**
   * Returns the terms of the utilities of products for a user who has bought none of them, in the order of the ids, and
   * each in the order of {@link utilityTermNames}; zeros for an unknown product.
   */
  termsOfAll(user: SimulatedUser, productIds: readonly string[], situation: Situation): number[][] {
    const local = { ...withLocalTime(situation), bought: 0 };
    return productIds.map((id) => {
      const i = this.#index.get(id);
      return i === undefined
        ? utilityTermNames.map(() => 0)
        : utilityTermsOf(user, this.#products[i], local, this.#season);
    });
  }

  /** Returns the ids of the `length` products with the highest purchase probabilities, highest first. */
  bestProducts(
    user: SimulatedUser,
    situation: Situation,
    purchaseCounts: ReadonlyMap<string, number>,
    length: number,
  ): string[] {
    const localSituation = withLocalTime(situation);
    const all = Float64Array.from(this.#products, (product) =>
      purchaseProbabilityOf(user, product, localSituation, purchaseCounts, this.#season),
    );
    return topIndices(all, all.length, length).map((i) => this.#products[i].item.id);
  }
}

function purchaseProbabilityOf(
  user: SimulatedUser,
  product: SimulatedProduct,
  situation: Omit<LocalSituation, "bought">,
  purchaseCounts: ReadonlyMap<string, number>,
  season: Season,
): number {
  const bought = purchaseCounts.get(product.item.id) ?? 0;
  const value = utility(user, product, { ...situation, bought }, season);
  return funnelProbability.click(value) * funnelProbability.cart(value) * funnelProbability.purchase(value);
}
