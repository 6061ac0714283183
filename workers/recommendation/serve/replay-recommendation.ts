import { decodeInputs } from "../../../model/pipeline/recorded-inputs.ts";
import { replayList } from "../../../model/pipeline/replay-list.ts";
import type { RecommendationReceipt, Replay, ReplayLoss } from "../../../shared/contracts/receipt.ts";
import { ok, type Result } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { rankerOf } from "../models/load-ranker.ts";
import { decompressInputs } from "./record-inputs.ts";

/**
 * Computes the list of a receipt again, from the recorded inputs and by the model that ranked it. Says what is gone if the
 * list cannot be computed, or is another one. Refuses with `unavailable` if there is no memory for the model now.
 */
export async function replayRecommendation(
  env: RecommendationEnv,
  application: string,
  receipt: Pick<RecommendationReceipt, "recommendationId" | "model" | "items">,
  compressed: ArrayBuffer | null,
): Promise<Result<Replay>> {
  const { recommendationId, model } = receipt;
  const without = (...gone: ReplayLoss[]): Result<Replay> =>
    ok({ recommendationId, same: false, items: [], gone });
  const ranker = await rankerOf(env, application, model);
  if (!ranker.ok && ranker.error.code !== "not_found") return ranker;
  const lostModel: ReplayLoss[] = ranker.ok ? [] : [{ what: "model", detail: ranker.error.detail }];
  if (compressed === null)
    return without(
      {
        what: "inputs",
        detail:
          "What the list was computed from is not stored. It is stored for requests with `explain`, or for all if the deployment says so, until the receipt expires, 50 newer ones came, the user's consent was lowered, or the user was merged.",
      },
      ...lostModel,
    );
  if (!ranker.ok) return without(...lostModel);
  const inputs = decodeInputs(await decompressInputs(compressed));
  if (inputs === null)
    return without({
      what: "code",
      detail: "This release does not read the inputs that another one recorded.",
    });
  const items = await replayList(inputs, ranker.value).catch((error: unknown) => {
    console.error({ event: "replay failed", error: errorText(error) });
    return null;
  });
  if (items === null)
    return without({ what: "code", detail: "This release cannot compute a list from the recorded inputs." });
  const list = items.map((item, i) => ({ ...item, position: (inputs.query.rules.offset ?? 0) + i + 1 }));
  const same =
    list.length === receipt.items.length &&
    receipt.items.every(({ productId, score, propensity }, i) => {
      const again = list[i];
      return again.productId === productId && again.score === score && again.propensity === propensity;
    });
  return ok({
    ...{ recommendationId, same, items: list },
    gone: same
      ? []
      : [
          {
            what: "code",
            detail: "This release computes another list from the same inputs and the same model.",
          },
        ],
  });
}
