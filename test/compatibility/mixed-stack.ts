import * as z from "zod";
import type { BuiltWorker } from "../../scripts/build/built-worker.ts";
import { freePort } from "../../scripts/start/free-port.ts";
import { type LocalServer, startLocalServer } from "../../scripts/start/local-server.ts";
import { localVariables } from "../../scripts/start/local-variables.ts";
import { callApi } from "../kill/call-api.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";

const recommendation = z.object({
  id: z.string().nullable().optional(),
  items: z.array(z.object({ productId: z.string() })),
});
const accepted = z.object({ accepted: z.number() });
const interactions = z.object({ items: z.array(z.object({ eventId: z.string() })) });
const whatever = z.unknown();

/** Starts workers, which may be of two releases, on a state directory. */
export async function startStack(workers: readonly BuiltWorker[], stateDir: string): Promise<LocalServer> {
  return startLocalServer({
    port: await freePort(),
    stateDir,
    workers,
    variables: { ...localVariables(stateDir) },
    inspectorPort: null,
    onOutput: (text) => process.stderr.write(text),
  });
}

const productCount = 24;
/** A user who writes in every stack, so that each reads what all before it stored. */
const oldUser = "user-of-all-releases";

/** Writes products and the first events: what the release before stores. */
export async function storeFirstData({ url }: LocalServer): Promise<void> {
  for (const { id, ...product } of generateProducts("first", oslo, productCount))
    await callApi(url, whatever, "PUT", `/v1/products/${id}`, product);
  await recordEvent(url, oldUser, "event-of-the-release-before");
}

async function recordEvent(url: string, userId: string, id: string): Promise<void> {
  const events = [{ eventId: id, userId, type: "click", productId: "first-1", location: oslo }];
  const answer = await callApi(url, accepted, "POST", "/v1/events", { events });
  if (answer.accepted !== 1) throw new Error(`The event ${id} was not accepted.`);
}

/** Returns the ids of a user's stored events, after those that are expected have arrived. */
async function storedEvents(url: string, userId: string, expected: readonly string[]): Promise<string[]> {
  const read = async () => {
    const page = await callApi(url, interactions, "GET", `/v1/users/${userId}/interactions?limit=100`);
    return page.items.map(({ eventId }) => eventId);
  };
  return pollUntil(read, (ids) => expected.every((id) => ids.includes(id)), 60);
}

/** Returns what a handful of requests show of a stack. `name` tells its data apart; `earlier` are events of before. */
export async function runFlows({ url }: LocalServer, name: string, earlier: readonly string[]) {
  const listed = await pollUntil(
    () =>
      callApi(url, recommendation, "POST", "/v1/recommendations", {
        userId: oldUser,
        location: oslo,
        limit: 5,
      }),
    ({ items }) => items.length === 5,
    60,
  );
  const productId = `${name}-0`;
  const [{ id: _id, ...product }] = generateProducts(name, oslo, 1);
  await callApi(url, whatever, "PUT", `/v1/products/${productId}`, product);
  await recordEvent(url, oldUser, `event-${name}`);
  await recordEvent(url, `user-${name}`, `other-event-${name}`);
  const others = await callApi(url, recommendation, "POST", "/v1/recommendations", {
    userId: `user-${name}`,
    location: oslo,
    limit: 5,
  });
  const found = await callApi(url, z.object({ id: z.string() }), "GET", `/v1/products/${productId}`);
  const expected = [...earlier, `event-${name}`];
  const stored = await storedEvents(url, oldUser, expected);
  return {
    recommended: listed.items.length,
    recommendedToNewUser: others.items.length,
    product: found.id,
    missingEvents: expected.filter((id) => !stored.includes(id)),
  };
}
