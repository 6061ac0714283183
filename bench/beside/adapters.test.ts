import { describe, expect, it } from "vitest";
import * as z from "zod";
import { eventInput } from "../../shared/contracts/event.ts";
import { productInput } from "../../shared/contracts/product.ts";
import { recommendationInput } from "../../shared/contracts/recommendation.ts";
import { answerFailure } from "../load/requests.ts";
import { gorse, gorseItem, listsAreMade } from "./gorse.ts";
import { vicinity } from "./vicinity.ts";

const request = { userId: "u 1/2", point: { lat: 40.7, lon: -73.9 }, items: 2 };
const events = [1, 2].map((number) => ({
  eventId: `run.${number}`,
  userId: `u${number}`,
  type: "view" as const,
  productId: `p${number}`,
  timestamp: "2026-01-31T12:00:00.000Z",
  location: { lat: 40.7, lon: -73.9 },
}));

describe("gorse", () => {
  it("asks for a list by the user's encoded id, and checks the number of items", () => {
    const asked = gorse.list(request);
    expect(asked).toMatchObject({ method: "GET", path: "/api/recommend/u%201%2F2?n=2" });
    expect(answerFailure(asked, 200, '[\n "p1",\n "p2"\n]')).toBeNull();
    expect(answerFailure(asked, 200, '["p1"]')).toMatch(/1 items instead of 2/);
    expect(answerFailure(asked, 200, "null")).toMatch(/0 items instead of 2/);
    expect(answerFailure(asked, 500, "database is locked")).toMatch(
      /status 500 instead of 200: database is locked/,
    );
    expect(answerFailure(asked, 200, "<html>")).toMatch(/cannot be read/);
  });

  it("sends events as feedback, and checks how many were stored", () => {
    const sent = gorse.events(events);
    expect(sent).toMatchObject({ method: "POST", path: "/api/feedback" });
    expect(JSON.parse(sent.body ?? "")).toEqual(
      [1, 2].map((number) => ({
        FeedbackType: "view",
        UserId: `u${number}`,
        ItemId: `p${number}`,
        Value: 1,
        Timestamp: "2026-01-31T12:00:00.000Z",
      })),
    );
    expect(answerFailure(sent, 200, '{\n "RowAffected": 2\n}')).toBeNull();
    expect(answerFailure(sent, 200, '{"RowAffected": 1}')).toMatch(/1 events stored instead of 2/);
  });

  it("sends no category that gorse refuses", () => {
    expect(
      gorseItem(
        productInput.parse({ id: "p1", title: "Tea", category: "food/hot", price: null, available: false }),
        "2026-01-31T12:00:00Z",
      ),
    ).toMatchObject({ ItemId: "p1", IsHidden: true, Categories: ["food-hot"], Comment: "Tea" });
  });

  it("waits for lists that are made after the import, and for everything that runs after them", () => {
    const imported = Date.parse("2026-01-31T12:00:00Z");
    const lists = {
      Name: "Generate recommendation",
      Status: "Complete",
      StartTime: "2026-01-31T12:00:40.5Z",
    };
    const last = { Name: "Collect Garbage in Cache", Status: "Complete", StartTime: "2026-01-31T12:00:50Z" };
    expect(listsAreMade([lists, last], imported)).toBe(true);
    expect(listsAreMade([lists, { ...last, Status: "Running" }], imported)).toBe(false);
    expect(listsAreMade([{ ...lists, Status: "Running" }], imported)).toBe(false);
    expect(listsAreMade([{ ...lists, StartTime: "2026-01-31T11:59:00Z" }, last], imported)).toBe(false);
    expect(listsAreMade([], 0)).toBe(false);
  });
});

describe("vicinity", () => {
  const adapter = vicinity(100);

  it("asks with the place and the number of candidates, in a body that the API accepts", () => {
    const asked = adapter.list(request);
    expect(recommendationInput.parse(JSON.parse(asked.body ?? ""))).toMatchObject({
      userId: "u 1/2",
      location: { lat: 40.7, lon: -73.9 },
      limit: 2,
      candidates: 100,
    });
    expect(answerFailure(asked, 200, '{"items":[{},{}]}')).toBeNull();
    expect(answerFailure(asked, 200, '{"items":[{}]}')).toMatch(/1 items instead of 2/);
    expect(answerFailure(asked, 503, "")).toMatch(/status 503/);
    expect(answerFailure(asked, 200, "{}")).toMatch(/cannot be read/);
  });

  it("sends events that the API accepts, and counts a part that was refused as a failure", () => {
    const sent = adapter.events(events);
    expect(z.object({ events: z.array(eventInput) }).parse(JSON.parse(sent.body ?? "")).events).toEqual(
      events,
    );
    const receipt = { accepted: 2, duplicates: 0, rejected: [], warnings: [] };
    expect(answerFailure(sent, 202, JSON.stringify(receipt))).toBeNull();
    const part = { ...receipt, accepted: 1, rejected: [{ index: 1, error: { code: "rate_limited" } }] };
    expect(answerFailure(sent, 202, JSON.stringify(part))).toMatch(
      /1 events accepted instead of 2.*rate_limited/,
    );
    expect(answerFailure(sent, 200, JSON.stringify(receipt))).toMatch(/status 200 instead of 202/);
  });

  it("expects a location to be coarsened, and a product to be known", () => {
    const sent = adapter.events(events);
    const warned = (code: string): string =>
      JSON.stringify({ accepted: 2, duplicates: 0, rejected: [], warnings: [{ index: 0, code }] });
    expect(answerFailure(sent, 202, warned("location_coarsened"))).toBeNull();
    expect(answerFailure(sent, 202, warned("unknown_product"))).toMatch(/unknown_product/);
  });
});
