import { emptyProfile, type ReadonlyProfile } from "../../../model/profile/profile.ts";
import { ok, type Result } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Returns the user's profile, or the refusal of the user object. Returns an empty profile if the user object fails, or
 * has not answered after half of the budget. The precision that such a user allows is unknown, so an empty profile
 * allows the city only.
 */
export async function loadProfile(
  reading: Promise<Result<ReadonlyProfile>>,
  budgetMs: number,
): Promise<Result<{ profile: ReadonlyProfile; skipped?: string }>> {
  const fallbackProfile = (): ReadonlyProfile => emptyProfile("city");
  try {
    const first = await (budgetMs < Number.POSITIVE_INFINITY
      ? Promise.race([reading, sleep(budgetMs / 2).then((): "late" => "late")])
      : reading);
    if (first === "late") {
      reading.catch(() => null);
      return ok({ profile: fallbackProfile(), skipped: "budget: the user object did not answer in time" });
    }
    return first.ok ? ok({ profile: first.value }) : first;
  } catch (error) {
    console.error({ event: "user object unreachable", error: errorText(error) });
    return ok({ profile: fallbackProfile(), skipped: "the user object: failed" });
  }
}
