import type { CandidateBlocks, CandidateRequest } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import { chosen } from "./chosen.ts";
import { near } from "./near.ts";
import { nextProducts } from "./next-products.ts";
import type { CandidateSource, CandidateStore } from "./source.ts";

/**
 * Asks the sources: what is near, what the person chose, and then what followed. One that fails is left out, as are those of
 * the person that are not there in time; what is near is waited for. Throws where all that was asked failed. `wait` resolves
 * after so many milliseconds.
 */
export async function gatherCandidates(
  store: CandidateStore,
  query: CandidateRequest,
  wait?: (ms: number) => Promise<void>,
): Promise<Omit<CandidateBlocks<Columns>, "place">> {
  const skipped: string[] = [];
  const deadline = wait && query.withinMs !== null ? wait(query.withinMs).then((): "late" => "late") : null;
  let failure: unknown;
  const ask = async (
    source: CandidateSource,
    brought: readonly Columns[],
    until: Promise<"late"> | null,
  ): Promise<Columns | null> => {
    try {
      const finding = source.find(store, query, brought);
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
  return { near: close, chosen: own, next: await ask(nextProducts, brought, deadline), skipped };
}
