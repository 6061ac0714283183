import { unitVectors, vectorDistanceKm } from "../../workers/shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import type { Candidate } from "../features/compute.ts";
import { compileFilter } from "../retrieval/filter.ts";
import { enoughNear, reachKm } from "../retrieval/reach.ts";
import { vectorsOf } from "../retrieval/scan.ts";
import { chosen } from "../sources/chosen.ts";
import { followed } from "../sources/followed.ts";
import { near } from "../sources/near.ts";
import type { Source, SourceQuery } from "../sources/source.ts";

/** Candidates, and the blocks in which the last choices' followers can be read. */
export interface Gathered {
  candidates: Candidate[];
  blocks: Columns[];
  /** Sources that were left out, each with its reason. */
  skipped: string[];
}

/** Says when there is no time left; never where there is no bound. */
export type Deadline = Promise<"late"> | null;

/**
 * Asks the sources and merges what they bring: what the person chose and what followed always stays; the rest of the
 * places goes to what is near, best first. A source that fails is left out, as are those of the person that are not there
 * by the deadline; what is near is waited for. `withPerson` is asked before each of the person's sources. Throws where all
 * that was asked failed.
 */
export async function gather(
  query: SourceQuery,
  withPerson: () => boolean = () => true,
  deadline: Deadline = null,
): Promise<Gathered> {
  const skipped: string[] = [];
  const ask = async (source: Source, blocks: Columns[], until: Deadline): Promise<Columns[]> => {
    try {
      const finding = source.find(query, blocks);
      const found = await (until ? Promise.race([finding, until]) : finding);
      if (found !== "late") {
        for (const { meta } of found) if (meta.skipped) skipped.push(`${source.name}: ${meta.skipped}`);
        return found;
      }
      // It goes on, and nobody waits for its end.
      finding.catch(() => []);
      skipped.push(`${source.name}: budget`);
    } catch (error) {
      if (blocks.length === 0) failure ??= error;
      skipped.push(`${source.name}: failed`);
    }
    return [];
  };
  const askPerson = (source: Source, blocks: Columns[]): Promise<Columns[]> | Columns[] => {
    if (withPerson()) return ask(source, blocks, deadline);
    skipped.push(`${source.name}: budget`);
    return [];
  };
  let failure: unknown;
  const [[close], own] = await Promise.all([ask(near, [], null), askPerson(chosen, [])]);
  const first = close ? [...own, close] : own;
  if (first.length === 0) throw failure;
  const followers = await askPerson(followed, first);
  return {
    candidates: merge(query, close, [...own, ...followers]),
    blocks: [...first, ...followers],
    skipped,
  };
}

/** One candidate per product, at most `limit`, only those that pass the filter and are within reach. */
function merge(query: SourceQuery, close: Columns | undefined, others: readonly Columns[]): Candidate[] {
  const { filter, point, limit } = query;
  const test = compileFilter(filter);
  const here = point && unitVectors([point.lat], [point.lon], 1);
  const far: Candidate[] = [];
  const merged = new Map<number, Candidate>();
  const add = (block: Columns, row: number, nearScore: number): void => {
    const hash = block.idHash[row];
    const known = merged.get(hash);
    if (known) {
      known.trace.sources++;
      known.trace.near = Math.max(known.trace.near, nearScore);
      return;
    }
    if (!test(block, row)) return;
    const candidate = { block, row, trace: { near: nearScore, sources: 1 } };
    const km = here ? vectorDistanceKm(here, 0, vectorsOf(block), row) : 0;
    if (filter.radiusKm !== undefined && !(km <= filter.radiusKm)) return;
    // A product without a place is everywhere.
    if (km > reachKm) far.push(candidate);
    else merged.set(hash, candidate);
  };
  for (const block of others) for (let row = 0; row < block.count; row++) add(block, row, 0);
  if (close) for (let row = 0; row < close.count; row++) add(close, row, 1 / (1 + row / 20));
  if (merged.size < enoughNear)
    for (const each of far) {
      const hash = each.block.idHash[each.row];
      if (!merged.has(hash)) merged.set(hash, each);
    }
  // What only `near` brought is in its order; everything else came first and stays.
  return [...merged.values()].slice(0, limit);
}
