import type { ProductFilter } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { AroundQuery, CandidateQuery, FirstStage, Wanted } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import type { Person } from "../profile/profile.ts";

/** Whom candidates are wanted for, and where. */
export interface SourceQuery {
  person: Person;
  point: Point | null;
  /** Seconds since the epoch, and the hour (0-23) on the clocks of the place. */
  now: number;
  hour: number;
  filter: ProductFilter;
  /** How the first stage weighs what is near. */
  firstStage: FirstStage;
  /** Most candidates wanted. */
  limit: number;
}

/** Where sources read: tiles, of the location worker or in memory. */
export interface Shelves {
  /** The best `limit` products for a person's places by the cheap first stage. */
  candidates(query: CandidateQuery): Promise<Columns>;
  /** Named products, wherever they are; the first `withNeighbours` of them with what is often chosen next. */
  columns(wanted: readonly Wanted[], withNeighbours: number): Promise<Columns>;
}

/**
 * A candidate source: answers a block of products, the best first; null where there is nothing to ask for. It may read in
 * what earlier sources `brought`.
 */
export interface Source {
  name: string;
  find(shelves: Shelves, query: AroundQuery, brought: readonly Columns[]): Promise<Columns | null>;
}
