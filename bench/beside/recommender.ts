import type { Marketplace } from "../../scripts/marketplace/marketplace.ts";
import type { EventInput } from "../../shared/contracts/event.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { LoadRequest } from "../load/requests.ts";

/** A request for recommendations, the same for all recommenders. One that knows no locations leaves `point` out. */
export interface ListRequest {
  userId: string;
  point: Point;
  /** Items of the list; an answer with another number of items has failed. */
  items: number;
}

/** Tells this bench how to talk to a recommender: one adapter for each kind. */
export interface Recommender {
  /** Name in the report. */
  readonly name: string;
  /** A request whose answer needs no data. */
  health(): LoadRequest;
  list(request: ListRequest): LoadRequest;
  /** Stores events. An answer that confirms another number of events has failed. */
  events(events: readonly EventInput[]): LoadRequest;
  /**
   * Loads a marketplace, unless it is there already, and waits until lists can be asked for. Returns what was done in one
   * line.
   */
  load(url: string, marketplace: Marketplace, log: (line: string) => void): Promise<string>;
}
