import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import type { EdgeLocation } from "../../../shared/contracts/location.ts";
import { recommendationInput } from "../../../shared/contracts/recommendation.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { recommendProducts } from "./recommend.ts";

const unknownEdge: EdgeLocation = { city: null, country: null, point: null, timezone: null };

/** Sends new recommendations to the user's live connections: to each what its holder may know. */
export async function pushRecommendations(
  env: RecommendationEnv,
  application: string,
  userId: string,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> {
  const input = recommendationInput.parse({ userId });
  const session = userSessionStub(env.USER_SESSION, application, userId, null);
  for (const rights of await session.listenerRights()) {
    const request = { input, edge: unknownEdge, requester: { ...trustedRequester, ...rights } };
    const answer = await recommendProducts(env, application, request, waitUntil);
    if (answer.ok) await session.broadcast(JSON.stringify(answer.value), rights);
  }
}
