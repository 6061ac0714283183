import type { Around, AroundQuery } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import { chosen, wantedBy } from "./chosen.ts";
import { near, nearQuery } from "./near.ts";
import { followed, lastOf } from "./next-products.ts";
import type { Shelves, Source, SourceQuery } from "./source.ts";

/** What a recommendation reads of places for a person; `withPerson` false leaves out what they lead to. */
export const aroundQueryOf = (
  query: SourceQuery,
  withPerson = true,
  withinMs: number | null = null,
): AroundQuery => ({
  near: nearQuery(query),
  chosen: withPerson ? wantedBy(query.person, query.now) : [],
  last: withPerson ? lastOf(query.person) : [],
  withinMs,
});

/**
 * Asks the sources: what is near, what the person chose, and then what followed. One that fails is left out, as are those of
 * the person that are not there in time; what is near is waited for. Throws where all that was asked failed. `wait` resolves
 * after so many milliseconds.
 */
export async function around(
  shelves: Shelves,
  query: AroundQuery,
  wait?: (ms: number) => Promise<void>,
): Promise<Omit<Around<Columns>, "place">> {
  const skipped: string[] = [];
  const deadline = wait && query.withinMs !== null ? wait(query.withinMs).then((): "late" => "late") : null;
  let failure: unknown;
  const ask = async (
    source: Source,
    brought: readonly Columns[],
    until: Promise<"late"> | null,
  ): Promise<Columns | null> => {
    try {
      const finding = source.find(shelves, query, brought);
      const found = await (until ? Promise.race([finding, until]) : finding);
      if (found !== "late") return found;
      // It goes on, and nobody waits for its end.
      finding.catch(() => null);
      skipped.push(`${source.name}: budget`);
    } catch (error) {
      if (brought.length === 0) failure ??= error;
      skipped.push(`${source.name}: failed`);
    }
    return null;
  };
  const [close, own] = await Promise.all([ask(near, [], null), ask(chosen, [], deadline)]);
  const brought = [own, close].filter((block) => block !== null);
  if (brought.length === 0) throw failure;
  return { near: close, chosen: own, followed: await ask(followed, brought, deadline), skipped };
}
