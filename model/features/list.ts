import type { Columns } from "../columns/columns.ts";
import type { Person } from "../person/person.ts";

/** What the candidates of a ranking have in common. */
export interface ListSummary {
  /** Candidates, and how many of them nobody has chosen yet. */
  size: number;
  fresh: number;
  /** How much this hour speaks for a category among all who choose here: share of its hour against uniform. */
  categoryHours: Map<number, number>;
  /** Choices of each category that everyone here would have made at the hours at which the person made theirs. */
  expectedChoices: Map<number, number>;
  /** Mean logarithm of the price after discount, by category. */
  logPrices: Map<number, number>;
}

/** A row of a block that is ranked. */
export interface ListedRow {
  block: Columns;
  row: number;
}

/** A category that is offered is chosen now and then at any hour, though nobody has yet: by so many people. */
const offered = 0.2;

/** What is summed up of one category. */
interface CategorySum {
  /** People by local hour of what they chose. */
  hours: Float64Array;
  people: number;
  logPrices: number;
  priced: number;
}

/** Sums up the candidates of a ranking for a person, at a local hour. */
export function summaryOf(candidates: readonly ListedRow[], person: Person, hour: number): ListSummary {
  const sums = new Map<number, CategorySum>();
  let fresh = 0;
  for (const { block, row } of candidates) {
    const hash = block.categoryHash[row];
    let known = sums.get(hash);
    if (!known) {
      known = { hours: new Float64Array(24), people: 0, logPrices: 0, priced: 0 };
      sums.set(hash, known);
    }
    const paid = block.price[row] * (1 - block.discount[row]);
    if (paid > 0) {
      known.logPrices += Math.log(paid);
      known.priced++;
    }
    const people = block.counts[row * 6 + 5];
    if (people === 0) {
      fresh++;
      continue;
    }
    known.people += people;
    for (let h = 0; h < 24; h++) known.hours[h] += (people * block.hours[row * 24 + h]) / 255;
  }
  return {
    size: candidates.length,
    fresh,
    categoryHours: mapValues(sums, ({ hours, people }) => {
      const now = (hours[(hour + 23) % 24] + hours[hour] + hours[(hour + 1) % 24]) / 3;
      return Math.log((now + 0.1) / (people / 24 + 0.1));
    }),
    expectedChoices: expectedChoices(sums, person),
    logPrices: mapValues(sums, ({ logPrices, priced }) => logPrices / Math.max(1, priced)),
  };
}

const mapValues = <T>(map: ReadonlyMap<number, T>, of: (value: T) => number): Map<number, number> =>
  new Map([...map].map(([key, value]) => [key, of(value)]));

/** Choices of each category that everyone here would have made at the hours at which the person made theirs. */
function expectedChoices(sums: ReadonlyMap<number, CategorySum>, person: Person): Map<number, number> {
  const all = new Float64Array(24).fill(sums.size * offered);
  for (const { hours } of sums.values()) for (let h = 0; h < 24; h++) all[h] += hours[h];
  return mapValues(sums, ({ hours }) => {
    let expected = 0;
    for (let h = 0; h < 24; h++) expected += (person.hours[h] * (hours[h] + offered)) / all[h];
    return expected;
  });
}
