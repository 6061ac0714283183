import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { simulate } from "../../model/simulate/simulate.ts";
import { toMarketplace } from "../../scripts/marketplace/marketplace.ts";
import { compare } from "./compare.ts";
import { comparisonTable } from "./comparison-table.ts";
import { gorse } from "./gorse.ts";
import { runRounds, type Side } from "./run-rounds.ts";
import { vicinity } from "./vicinity.ts";

interface Received {
  method: string;
  path: string;
  body: string;
}

const received: Received[] = [];
/** Whether the server refuses to make lists for gorse's API. */
let gorseFails = false;

/** Answers as both APIs do. */
function answer({ path, body }: Received): { status: number; value: unknown } {
  if (path.startsWith("/api/recommend/"))
    return gorseFails
      ? { status: 500, value: { detail: "database is locked" } }
      : { status: 200, value: Array.from({ length: Number(path.split("n=")[1]) }, (_, i) => `p${i}`) };
  if (path === "/api/feedback") return { status: 200, value: { RowAffected: JSON.parse(body).length } };
  if (path === "/v1/recommendations")
    return { status: 200, value: { items: Array.from({ length: JSON.parse(body).limit }, () => ({})) } };
  if (path === "/v1/events")
    return {
      status: 202,
      value: { accepted: JSON.parse(body).events.length, duplicates: 0, rejected: [], warnings: [] },
    };
  return { status: path === "/healthz" || path === "/api/health/live" ? 200 : 404, value: {} };
}

let server: Server;
let url = "";
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const own = {
      method: request.method ?? "",
      path: request.url ?? "",
      body: Buffer.concat(parts).toString(),
    };
    received.push(own);
    const { status, value } = answer(own);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(() => server.close());

const marketplace = toMarketplace(
  simulate({ products: 200, users: 40, events: 1000, days: 7, cities: 3 }, 1, Date.UTC(2026, 0, 31) / 1000)
    .dataset,
  { shift: 0 },
);
const options = {
  rounds: 2,
  seconds: 0.05,
  warmUp: 0,
  maxWorkAfter: 0,
  items: 5,
  groups: ["health", "lists", "single", "world", "city"] as const,
};
const run = () => {
  received.length = 0;
  const sides: [Side, Side] = [
    { role: "peer", recommender: gorse, url, root: process.pid },
    { role: "vicinity", recommender: vicinity(500), url, root: null },
  ];
  return runRounds(sides, { ...options, groups: [...options.groups] }, marketplace, "run", () => undefined);
};

describe("runRounds", () => {
  it("gives every figure of both sides a value in each round", async () => {
    const paired = await run();
    expect(paired.failures).toEqual([]);
    expect(paired.values.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "recommendation, 16 connections: p99",
        "one event after the other: events",
        "20 events, one city, 16 connections: p50 of a request",
        "resident memory of all processes",
      ]),
    );
    for (const { name, peer, vicinity: own } of paired.values) {
      expect([name, peer.length, own.length]).toEqual([name, 2, 2]);
      expect([name, peer.some(Number.isNaN)]).toEqual([name, false]);
      // The processes of this side are not known.
      expect([name, own.some(Number.isNaN)]).toEqual([name, /processor|memory|work after/.test(name)]);
    }
    expect(comparisonTable(paired.values.map(compare), "gorse")).toMatch(
      /empty health request, 1 connection: p50 +ms/,
    );
  });

  it("asks both sides for the same users, and sends both the same events", async () => {
    await run();
    const users = (prefix: string, idOf: (each: Received) => string) =>
      received
        .filter(({ path }) => path.startsWith(prefix))
        .map(idOf)
        .slice(0, 8);
    expect(users("/api/recommend/", ({ path }) => path.split("/")[3].split("?")[0])).toEqual(
      users("/v1/recommendations", ({ body }) => JSON.parse(body).userId),
    );
    const pairs = (path: string, of: (body: string) => string[]) =>
      received
        .filter((each) => each.path === path)
        .flatMap(({ body }) => of(body))
        .slice(0, 8);
    expect(
      pairs("/api/feedback", (body) =>
        JSON.parse(body).map((each: { UserId: string; ItemId: string }) => `${each.UserId} ${each.ItemId}`),
      ),
    ).toEqual(
      pairs("/v1/events", (body) =>
        JSON.parse(body).events.map(
          (each: { userId: string; productId: string }) => `${each.userId} ${each.productId}`,
        ),
      ),
    );
  });

  it("counts no failed answer as a fast one", async () => {
    gorseFails = true;
    const paired = await run();
    gorseFails = false;
    const lists = paired.values.find(({ name }) => name === "recommendation, 1 connection: p50");
    expect(lists?.peer).toEqual([Number.NaN, Number.NaN]);
    expect(paired.values.find(({ name }) => name === "recommendation, 1 connection: answers")?.peer).toEqual([
      0, 0,
    ]);
    expect(paired.failures.join("\n")).toMatch(
      /recommendation, 1 connection, gorse: \d+ failed beside 0 good answers: status 500/,
    );
  });
});
