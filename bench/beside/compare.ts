/** Values of one figure, one for each round; NaN for a round that gave none. */
export interface PairedValues {
  name: string;
  unit: string;
  peer: number[];
  vicinity: number[];
}

/** Medians of both sides, and how many times the peer's value Vicinity's is. */
export interface Comparison {
  name: string;
  unit: string;
  peer: number;
  vicinity: number;
  /** Median, least and largest of the ratios within a round; NaN where no round has both values. */
  ratio: number;
  least: number;
  largest: number;
  rounds: number;
}

/** Returns the median of the values that are numbers; NaN if there is none. */
export function median(values: readonly number[]): number {
  const ascending = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = ascending.length / 2;
  if (ascending.length === 0) return Number.NaN;
  return ascending.length % 2 === 1
    ? ascending[Math.floor(middle)]
    : (ascending[middle - 1] + ascending[middle]) / 2;
}

/** Returns the medians of a figure, and the ratios of the rounds: a slow minute of the machine slows both of its sides. */
export function compare({ name, unit, peer, vicinity }: PairedValues): Comparison {
  const ratios = vicinity
    .map((value, round) => value / peer[round])
    .filter((ratio) => Number.isFinite(ratio));
  return {
    name,
    unit,
    peer: median(peer),
    vicinity: median(vicinity),
    ratio: median(ratios),
    least: ratios.length === 0 ? Number.NaN : Math.min(...ratios),
    largest: ratios.length === 0 ? Number.NaN : Math.max(...ratios),
    rounds: ratios.length,
  };
}

/** Returns the sides of a round in the order in which they are measured: each goes first in every other round. */
export const orderOf = <T>(round: number, sides: readonly [T, T]): readonly [T, T] =>
  round % 2 === 0 ? sides : [sides[1], sides[0]];
