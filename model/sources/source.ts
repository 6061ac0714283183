import type { ProductFilter } from "../../workers/shared/contracts/location.ts";
import type { Point } from "../../workers/shared/contracts/primitives.ts";
import type { FirstStage } from "../../workers/shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import type { Person } from "../person/person.ts";
import type { Places } from "../pipeline/ports.ts";

/** What every source is asked. */
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
  places: Places;
}

/** A candidate source: answers blocks of products, the best first. It may read in what earlier sources `brought`. */
export interface Source {
  name: string;
  find(query: SourceQuery, brought: readonly Columns[]): Promise<Columns[]>;
}
