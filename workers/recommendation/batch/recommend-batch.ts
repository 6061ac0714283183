import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import {
  maxBatchLimit,
  type RecommendationBatch,
  type RecommendationBatchInput,
  type RecommendationBatchItem,
} from "../../../shared/contracts/recommendation-batch.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Refusal, type Result, refuse } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { variantsOfRequest } from "../experiments/active-experiments.ts";
import { rankersFor } from "../models/serving-rankers.ts";
import { resolveScenario } from "../scenarios/resolve-scenario.ts";
import { recommendProducts } from "../serve/recommend.ts";
import { JoinedCalls } from "./joined-calls.ts";
import { joinedServices } from "./joined-services.ts";

/** Users whose lists are made at the same time. Their candidates are in memory together: up to 300 kB for each. */
const usersAtOnce = 25;
/** Calls of other workers for all users. A request may make 32 invocations: this one, the gateway's and these. */
const maxCalls = 28;
/** Calls that lists make one after another: products of the request, place, currency, candidates, cards, and more cards. */
const callsOfList = 7;

/** The edge tells where the request comes from, and not where its users are. */
const unknownEdge = { city: null, country: null, point: null, timezone: null };

/** What ends a batch if it is the same for all users: the request itself is wrong. */
const wrongRequest: ReadonlySet<string> = new Set(["invalid_input", "forbidden"]);

const notNow = (detail: string): Refusal => ({ code: "unavailable", detail, retryAfter: 1 });

/**
 * Makes the lists of several users, which join their calls of other workers. A user without a list has an error. Refuses with
 * `invalid_input` or `forbidden` what is wrong with the request itself. `waitUntil` runs work after the answer.
 */
export async function recommendBatch(
  env: RecommendationEnv,
  application: string,
  { userIds, ...fields }: RecommendationBatchInput,
  requester: Requester,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<RecommendationBatch>> {
  const inputOf = (userId: string): RecommendationInput => ({ ...fields, userId, explain: false });
  const resolved = await resolveScenario(env, application, inputOf(userIds[0]), null, waitUntil);
  if (!resolved.ok) return resolved;
  if (resolved.value.limit > maxBatchLimit) {
    const message = `must be at most ${maxBatchLimit} in a batch; the scenario has ${resolved.value.limit}`;
    return refuse("invalid_input", `\`limit\` ${message}. Name a limit in the request.`, {
      issues: [{ path: "limit", message }],
    });
  }
  const now = Date.now() / 1000;
  const serving = rankersFor(env, application, userIds[0], waitUntil);
  // What each isolate reads once: otherwise all users of a new isolate would read it at the same time.
  await variantsOfRequest(env, application, inputOf(userIds[0]), serving, now, waitUntil);
  await serving;
  const joined = new JoinedCalls(maxCalls);
  const environmentOf = joinedServices(env, application, joined);
  const listOf = async (userId: string, number: number): Promise<RecommendationBatchItem> => {
    const request = { input: inputOf(userId), edge: unknownEdge, requester };
    try {
      const list = await recommendProducts(environmentOf(number), application, request, waitUntil);
      return list.ok ? { userId, recommendation: list.value } : itemOf(userId, list.error);
    } catch (error) {
      console.error({ event: "list of a batch failed", error: errorText(error) });
      return itemOf(userId, notNow("The list failed unexpectedly; send the user again."));
    }
  };
  const items: RecommendationBatchItem[] = [];
  for (let from = 0; from < userIds.length; from += usersAtOnce) {
    const group = userIds.slice(from, from + usersAtOnce);
    if (from > 0 && joined.left < callsOfList)
      items.push(
        ...group.map((userId) =>
          itemOf(userId, notNow("The batch reads too much for one request; send the user again.")),
        ),
      );
    else
      items.push(
        ...(await joined.run(
          group.map((_, i) => from + i),
          (number) => listOf(userIds[number], number),
        )),
      );
  }
  const codes = new Set(items.map(({ error }) => error?.code ?? ""));
  const [code] = codes;
  const [first] = items;
  if (codes.size === 1 && wrongRequest.has(code) && first.error) {
    const { errors, ...error } = first.error;
    return { ok: false, error: { ...error, ...(errors ? { issues: errors } : {}) } };
  }
  return ok({ items });
}

/** Returns what a batch has for a user whose list was refused. */
const itemOf = (userId: string, { code, detail, issues, retryAfter }: Refusal): RecommendationBatchItem => ({
  userId,
  error: {
    ...{ code, detail },
    ...(issues ? { errors: issues } : {}),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  },
});
