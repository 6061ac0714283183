import type { NextProduct } from "../../model/columns/columns.ts";
import { type HourTotals, interactionsIn, newerHours } from "../../shared/contracts/totals.ts";
import type { EventKey } from "./counted-keys.ts";

/** A step to a product, with the weight that it adds. */
export interface TransitionDelta extends EventKey {
  from: string;
  to: string;
  toCell: string;
  weight: number;
}

/** What a call told that was news. */
export interface PendingDelta {
  /** Of each product the hours that changed. */
  totals: { productId: string; hours: HourTotals[] }[];
  /** All that their events made in this cell. */
  steps: TransitionDelta[];
}

/** What is known of what people do with one product. */
export interface ProductActivity {
  hours: readonly HourTotals[];
  nextProducts: NextProduct[];
}

/** What is remembered of the news that wait. */
export interface Waiting {
  /** Of the last call, and of the last that is folded. */
  seq: number;
  folded: number;
  characters: number;
  /** Interactions by product and hour. */
  counts: Map<string, Map<number, number>>;
  keys: Set<number>;
}

/** Ids hold no space. */
export const pairOf = ({ key, from, to, weight }: TransitionDelta): string =>
  `${key} ${from} ${to} ${weight}`;

/** The events that made some steps. */
export const keysOf = (steps: readonly TransitionDelta[]): EventKey[] => [
  ...new Map(steps.map(({ key, time }) => [key, { key, time }])).values(),
];

/** What is remembered where nothing waits. */
export const nothing = (): Omit<Waiting, "seq" | "folded"> => ({
  characters: 0,
  counts: new Map(),
  keys: new Set(),
});

/** Takes a call's row of news into what is remembered, in place. */
export function remember(waiting: Waiting, seq: number, body: string): void {
  const { totals, steps }: PendingDelta = JSON.parse(body);
  waiting.seq = seq;
  waiting.characters += body.length;
  for (const { productId, hours } of totals) {
    const counts = waiting.counts.get(productId) ?? new Map<number, number>();
    waiting.counts.set(productId, counts);
    for (const each of hours) counts.set(each.hour, interactionsIn(each));
  }
  for (const { key } of steps) waiting.keys.add(key);
}

/** Adds news to what is known by product, in place. */
export function addTo(known: Map<string, ProductActivity>, news: readonly PendingDelta[]): void {
  const of = (id: string): ProductActivity => {
    const before = known.get(id) ?? { hours: [], nextProducts: [] };
    known.set(id, before);
    return before;
  };
  const steps = new Map<string, NextProduct[]>();
  const told = new Map<string, HourTotals[]>();
  for (const each of news) {
    for (const { productId, hours } of each.totals)
      told.set(productId, [...(told.get(productId) ?? []), ...hours]);
    for (const { from, to, toCell, weight } of each.steps) {
      const list = steps.get(from) ?? [];
      steps.set(from, list);
      list.push({ productId: to, cell: toCell, weight });
    }
  }
  for (const [id, hours] of told) of(id).hours = newerHours(of(id).hours, hours);
  for (const [from, added] of steps) of(from).nextProducts = joined(of(from).nextProducts, added);
}

/** Followers with others added: weights of one product are summed, and it is where it was last. */
export function joined(nextProducts: readonly NextProduct[], added: readonly NextProduct[]): NextProduct[] {
  const all = new Map<string, NextProduct>();
  for (const each of [...nextProducts, ...added])
    all.set(each.productId, { ...each, weight: each.weight + (all.get(each.productId)?.weight ?? 0) });
  return [...all.values()];
}
