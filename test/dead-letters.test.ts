import { afterAll, beforeAll, expect, it } from "vitest";
import type { CreatedKey } from "../shared/contracts/credential.ts";
import type { DeadLetter } from "../shared/contracts/dead-letter.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { pollUntil } from "./support/polling.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();
beforeAll(() => stack.start());
afterAll(() => stack.stop());

it("stores invalid queue messages by application with their cause while other messages are handled", async () => {
  const interactions = await stack.binding("recommendation", "INTERACTIONS");
  const catalog = await stack.binding("product", "CATALOGUE");
  for (const body of ["no object", { application: "demo", users: [] }, { application: "demo" }])
    await interactions.send(body);
  await catalog.send({ application: "demo", productIds: "one" });
  const sent = await stack.call("POST", "/v1/events", {
    body: { events: [{ eventId: "good", userId: "ann", type: "view", productId: "p" }] },
  });
  expect(sent.status).toBe(202);
  const history = await pollUntil(
    () => stack.call<Page<UserInteraction>>("GET", "/v1/users/ann/interactions"),
    ({ body }) => body.items?.length === 1,
    20,
  );
  expect(history.body.items.map(({ eventId }) => eventId)).toEqual(["good"]);

  const deadLetters = await pollUntil(
    () => stack.call<Page<DeadLetter>>("GET", "/v1/dead-letters?limit=10"),
    ({ body }) => body.items.length === 3,
    20,
  );
  expect(deadLetters.body.items.map(({ queue }) => queue)).toEqual([
    "catalogue",
    "interactions",
    "interactions",
  ]);
  for (const { cause } of deadLetters.body.items) expect(cause).toMatch(/^(productIds|users): /);
  const pages: DeadLetter[] = [];
  for (let cursor = ""; ; ) {
    const { body } = await stack.call<Page<DeadLetter>>("GET", `/v1/dead-letters?limit=1${cursor}`);
    pages.push(...body.items);
    if (body.nextCursor === undefined) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  expect(pages).toEqual(deadLetters.body.items);

  const { key } = (
    await stack.call<CreatedKey>("POST", "/v1/keys", { body: { application: "other", role: "admin" } })
  ).body;
  expect((await stack.call<Page<DeadLetter>>("GET", "/v1/dead-letters", { key })).body.items).toEqual([]);
  for (const { id } of deadLetters.body.items) {
    expect((await stack.call("GET", `/v1/dead-letters/${id}`, { key })).status).toBe(404);
    expect((await stack.call("POST", `/v1/dead-letters/${id}/replay`)).status).toBe(409);
    expect((await stack.call("GET", `/v1/dead-letters/${id}`)).body).toHaveProperty("body");
    expect((await stack.call("DELETE", `/v1/dead-letters/${id}`)).status).toBe(204);
  }
  expect((await stack.call<Page<DeadLetter>>("GET", "/v1/dead-letters")).body.items).toEqual([]);
});
