import { fastLog } from "../../shared/math/fast-log.ts";
import { CategoryHours } from "../columns/category-hours.ts";
import { type Columns, categoryOf, currencyOf, priceAfterDiscountOf } from "../columns/columns.ts";
import { isUntried } from "../columns/untried.ts";
import { currencyKey, type ReadonlyProfile } from "../profile/profile.ts";

/** Statistics over all candidates of a ranking. */
export interface ListSummary {
  /** Number of candidates. */
  size: number;
  /** Candidates that nobody has chosen or dismissed yet. */
  neverChosen: number;
  /** Lift of each category at the local hour, by its name: see {@link CategoryHours.lift}. */
  categoryHours: Map<string, number>;
  /** Choices that an average user would have made in each category at the hours of this user's choices. */
  expectedChoices: Map<string, number>;
  /** By {@link currencyKey}: prices of two currencies are never compared. */
  prices: Map<string, CandidatePrices>;
}

/** Mean logarithms of the candidates' prices after discount in one currency, in minor units. */
export interface CandidatePrices {
  /** Of all candidates. */
  all: number;
  /** By category. */
  categories: Map<string, number>;
}

/** A row of a block. */
export interface BlockRow {
  block: Columns;
  row: number;
}

/** Smoothing of {@link ListSummary.expectedChoices}: people added to each category at each hour. */
const peoplePrior = 0.2;

/** Returns statistics over the candidates of a ranking for a user at a local hour. */
export function summarizeCandidates(
  candidates: readonly BlockRow[],
  profile: ReadonlyProfile,
  hour: number,
): ListSummary {
  const hours = new CategoryHours();
  const prices = new PriceMeans();
  let neverChosen = 0;
  for (const { block, row } of candidates) {
    hours.add(block, row);
    if (isUntried(block, row)) neverChosen++;
    prices.add(block, row);
  }
  const categories = [...hours.categories];
  return {
    size: candidates.length,
    neverChosen,
    categoryHours: new Map(categories.map((name) => [name, hours.lift(name, hour)])),
    expectedChoices: expectedChoices(hours, profile),
    prices: prices.means(),
  };
}

/** A sum of logarithms, and the number of terms. */
interface LogSum {
  logs: number;
  count: number;
}

const addTo = (sums: Map<string, LogSum>, key: string, log: number): void => {
  const sum = sums.get(key);
  if (sum) {
    sum.logs += log;
    sum.count++;
  } else sums.set(key, { logs: log, count: 1 });
};

/** Sums up prices by currency and category. */
class PriceMeans {
  readonly #currencies = new Map<string, { all: LogSum; categories: Map<string, LogSum> }>();

  /** Adds the price of a row after discount; a row without a price, or a free one, adds nothing. */
  add(block: Columns, row: number): void {
    const paid = priceAfterDiscountOf(block, row);
    if (!(paid > 0)) return;
    const log = fastLog(paid);
    const key = currencyKey(currencyOf(block, row));
    let sums = this.#currencies.get(key);
    if (!sums) {
      sums = { all: { logs: 0, count: 0 }, categories: new Map() };
      this.#currencies.set(key, sums);
    }
    sums.all.logs += log;
    sums.all.count++;
    addTo(sums.categories, categoryOf(block, row), log);
  }

  /** Returns the means of the logarithms. */
  means(): Map<string, CandidatePrices> {
    const meanOf = ({ logs, count }: LogSum): number => logs / count;
    return new Map(
      [...this.#currencies].map(([key, { all, categories }]) => [
        key,
        {
          all: meanOf(all),
          categories: new Map([...categories].map(([name, sum]) => [name, meanOf(sum)])),
        },
      ]),
    );
  }
}

/**
 * Distributes the user's choices of each hour over the categories, in proportion to everyone's choices at that hour.
 */
function expectedChoices(hours: CategoryHours, profile: ReadonlyProfile): Map<string, number> {
  const peopleByHour = hours.peopleByHour;
  const expected = new Float64Array(peopleByHour.length);
  for (let h = 0; h < 24; h++) {
    const choices = profile.hours[h];
    if (choices === 0) continue;
    let all = 0;
    for (const people of peopleByHour) all += people[h] + peoplePrior;
    for (let i = 0; i < expected.length; i++)
      expected[i] += (choices * (peopleByHour[i][h] + peoplePrior)) / all;
  }
  return new Map([...hours.categories].map((name, i) => [name, expected[i]]));
}
