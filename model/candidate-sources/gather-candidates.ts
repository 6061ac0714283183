import type { CandidateBlocks, CandidateRequest } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import type { CandidateSource } from "./candidate-source.ts";
import type { CandidateStore } from "./candidate-store.ts";
import { chosenSource } from "./chosen-source.ts";
import { nearSource } from "./near-source.ts";
import { nextProductsSource } from "./next-products-source.ts";

/**
 * Runs the candidate sources: `near` and `chosen`, then `next`, which reads their blocks. It leaves out a source that
 * fails, and `chosen` and `next` if they exceed the request's `profileTimeoutMs`. It rejects if neither `near` nor
 * `chosen` finds a block. `wait` resolves after the given milliseconds; without it there is no timeout.
 */
export async function gatherCandidates(
  store: CandidateStore,
  request: CandidateRequest,
  wait?: (ms: number) => Promise<void>,
): Promise<Omit<CandidateBlocks<Columns>, "place">> {
  const skipped: string[] = [];
  const timeout =
    wait && request.profileTimeoutMs !== null
      ? wait(request.profileTimeoutMs).then((): "timeout" => "timeout")
      : null;
  let firstError: unknown;
  const run = async (
    source: CandidateSource,
    earlierBlocks: readonly Columns[],
    timeout: Promise<"timeout"> | null,
  ): Promise<Columns | null> => {
    try {
      const finding = source.find(store, request, earlierBlocks);
      const found = await (timeout ? Promise.race([finding, timeout]) : finding);
      if (found !== "timeout") return found;
      // The read cannot be cancelled: ignore its error.
      finding.catch(() => null);
      skipped.push(`${source.name}: budget`);
    } catch (error) {
      if (earlierBlocks.length === 0) firstError ??= error;
      skipped.push(`${source.name}: failed`);
    }
    return null;
  };
  const [near, chosen] = await Promise.all([run(nearSource, [], null), run(chosenSource, [], timeout)]);
  const blocks = [chosen, near].filter((block) => block !== null);
  if (blocks.length === 0) throw firstError;
  return { near, chosen, next: await run(nextProductsSource, blocks, timeout), skipped };
}
