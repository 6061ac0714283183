import type { ProductFilter } from "../../workers/shared/contracts/location.ts";
import type { Point } from "../../workers/shared/contracts/primitives.ts";
import type { Columns } from "../columns/columns.ts";
import type { FeatureBatch, Scores } from "../features/batch.ts";

/** Where the pipeline reads places: the location service, or the same code in memory when evaluating. */
export interface Places {
  /** The best `limit` products for a place by the cheap first stage; the world's best where `point` is null. */
  candidates(query: {
    point: Point | null;
    limit: number;
    filter: ProductFilter;
    now: number;
  }): Promise<Columns>;
  /** Named products, wherever they are. */
  columns(wanted: { productId: string; cell: string }[]): Promise<Columns>;
}

/** What orders candidates: the ONNX model, or what stands in for it. */
export interface Ranker {
  version: string;
  sha256: string;
  score(batch: FeatureBatch): Promise<Scores>;
}
