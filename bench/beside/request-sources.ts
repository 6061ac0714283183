import { Random } from "../../model/train/random.ts";
import type { Marketplace } from "../../scripts/marketplace/marketplace.ts";
import { busiestCity, EventSource, lastVisits, type Visit } from "../load/demo-visits.ts";

/** Where the requests of a run come from. Two recommenders get the same users and places from two equal sources. */
export interface RequestSources {
  visits: readonly Visit[];
  world: EventSource;
  city: EventSource;
  /** Items of each list. */
  items: number;
  /** Returns the time in seconds since the epoch. */
  now(): number;
}

const seed = 17;

/** Returns the sources of a run with a marketplace. `run` is a part of all event ids, so that no other run has them. */
export function sourcesOf(marketplace: Marketplace, run: string, items: number): RequestSources {
  const visits = lastVisits(marketplace);
  return {
    visits: new Random(seed).shuffle([...visits]),
    world: new EventSource(visits, new Random(seed), `${run}.world`),
    city: new EventSource(busiestCity(visits), new Random(seed + 1), `${run}.city`),
    items,
    now: () => Date.now() / 1000,
  };
}
