import { distanceKm } from "../../shared/geo/distance.ts";
import { localOffset } from "../../shared/geo/local-time.ts";
import type { DatasetItem } from "../data/dataset.ts";
import { hourOf, weekdayOf } from "../profile/profile.ts";
import { top } from "../retrieval/top.ts";
import { simulatedCategories, wanted } from "./categories.ts";

/** A product with what nobody is told: how good it is. */
export interface HiddenProduct {
  item: DatasetItem;
  /** Index of its category. */
  category: number;
  lat: number;
  lon: number;
  quality: number;
  /** Logarithm of its price after discount against what its category costs. */
  relativePrice: number;
}

/** A person with what nobody is told: tastes, sensitivity to prices, willingness to travel, favourites. */
export interface HiddenUser {
  id: string;
  city: number;
  lat: number;
  lon: number;
  tastes: number[];
  priceSensitivity: number;
  /** Kilometres that cost as much as one unit of taste. */
  reachKm: number;
  /** How much they like what they know. */
  loyalty: number;
  /** Share of their visits that go to another city. */
  travels: number;
}

/** A person's situation, on which what they want depends. */
export interface Moment {
  /** Seconds since the epoch. */
  time: number;
  lat: number;
  lon: number;
  /** Index of the category that they chose last in this session; -1 where it just began. */
  lastCategory: number;
}

/** The rest of a situation: local hour (0-23) and weekday (0 Monday), and earlier purchases of the product. */
interface Situation extends Moment {
  hour: number;
  weekday: number;
  bought: number;
}

/** A moment with its local hour and weekday. */
export function situate(moment: Moment): Omit<Situation, "bought"> {
  const local = moment.time + localOffset(moment.lat, moment.lon, moment.time);
  return { ...moment, hour: hourOf(local), weekday: weekdayOf(local) };
}

/** Of what the wish for a product is made, in the order of {@link utilityOf}. */
export const utilityParts = ["taste", "quality", "price", "distance", "hour", "follows", "loyalty"] as const;

/** What holds for everyone for a while: how much the parts of a wish weigh, and what is liked beside. */
export interface Season {
  /** Factors on the parts of a wish; one where none is given. */
  weights: Partial<Record<(typeof utilityParts)[number], number>>;
  /** Wish that a discount of all of the price would add, beside the lower price. */
  discount: number;
}

/** No season: people are as they are. */
export const usual: Season = { weights: {}, discount: 0 };

/** The parts of a person's wish for a product now. */
function utilityOf(user: HiddenUser, product: HiddenProduct, now: Situation, season: Season): number[] {
  const spec = simulatedCategories[product.category];
  const km = distanceKm(now.lat, now.lon, product.lat, product.lon);
  const follows = now.lastCategory >= 0 && simulatedCategories[now.lastCategory].next === spec.name ? 1.2 : 0;
  const parts = [
    user.tastes[product.category],
    0.9 * product.quality,
    -user.priceSensitivity * product.relativePrice,
    -Math.log1p(km / user.reachKm),
    Math.log(0.05 + wanted(spec, now.hour, now.weekday)),
    follows,
    user.loyalty * Math.log1p(now.bought),
  ];
  const weighed = parts.map((part, i) => part * (season.weights[utilityParts[i]] ?? 1));
  weighed[utilityParts.indexOf("price")] += season.discount * product.item.discount;
  return weighed;
}

/** How much a person wants a product now: the utility behind every choice. */
export const utility = (
  user: HiddenUser,
  product: HiddenProduct,
  now: Situation,
  season: Season = usual,
): number => utilityOf(user, product, now, season).reduce((sum, part) => sum + part, 0);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Probability of each step towards a purchase, given the one before, by utility. */
export const funnel = {
  click: (wish: number): number => sigmoid(wish - 1),
  cart: (wish: number): number => sigmoid(wish - 2),
  purchase: (wish: number): number => sigmoid(wish - 1.5),
};

/** What the marketplace knows of its own people: the measure of any recommendation. */
export class Truth {
  readonly #products: readonly HiddenProduct[];
  readonly #index: ReadonlyMap<string, number>;

  readonly #season: Season;

  constructor(products: readonly HiddenProduct[], season: Season = usual) {
    this.#products = products;
    this.#season = season;
    this.#index = new Map(products.map(({ item }, i) => [item.id, i]));
  }

  /** The same products and people in another season. */
  in(season: Season): Truth {
    return new Truth(this.#products, season);
  }

  /**
   * Probability that a person who looks at the product now buys it, by what they bought of it before: what the best list
   * is ordered by. Zero for a product that there is not.
   */
  purchaseProbability(
    user: HiddenUser,
    productId: string,
    moment: Moment,
    boughtBefore: ReadonlyMap<string, number>,
  ): number {
    const i = this.#index.get(productId);
    if (i === undefined) return 0;
    return probability(user, this.#products[i], situate(moment), boughtBefore, this.#season);
  }

  /** Of what the person's wish for the product is made, by {@link utilityParts}; zeros for a product that there is not. */
  wish(
    user: HiddenUser,
    productId: string,
    moment: Moment,
    boughtBefore: ReadonlyMap<string, number>,
  ): number[] {
    const i = this.#index.get(productId);
    if (i === undefined) return utilityParts.map(() => 0);
    const bought = boughtBefore.get(productId) ?? 0;
    return utilityOf(user, this.#products[i], { ...situate(moment), bought }, this.#season);
  }

  /** The best list of `length`: the products with the highest of these probabilities, in their order. */
  best(
    user: HiddenUser,
    moment: Moment,
    boughtBefore: ReadonlyMap<string, number>,
    length: number,
  ): string[] {
    const situation = situate(moment);
    const all = Float64Array.from(this.#products, (product) =>
      probability(user, product, situation, boughtBefore, this.#season),
    );
    return top(all, all.length, length).map((i) => this.#products[i].item.id);
  }
}

function probability(
  user: HiddenUser,
  product: HiddenProduct,
  situation: Omit<Situation, "bought">,
  boughtBefore: ReadonlyMap<string, number>,
  season: Season,
): number {
  const bought = boughtBefore.get(product.item.id) ?? 0;
  const wish = utility(user, product, { ...situation, bought }, season);
  return funnel.click(wish) * funnel.cart(wish) * funnel.purchase(wish);
}
