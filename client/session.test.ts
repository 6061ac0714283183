import { describe, expect, it } from "vitest";
import { AnonymousSession, type SessionStorage } from "./session.ts";

const daySeconds = 86_400;
const start = Date.parse("2026-01-01T00:00:00Z");

function memoryStorage(): SessionStorage & { texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    getItem: (name) => texts.get(name) ?? null,
    setItem: (name, text) => void texts.set(name, text),
    removeItem: (name) => void texts.delete(name),
  };
}

/** A server that issues sessions, and the requests that it received. `refusal` is its next answer to a renewal. */
function sessionServer() {
  const clock = { at: start };
  const requests: string[] = [];
  const server = {
    refusal: null as { status: number; retryAfter?: number } | null,
    /** Whether the token of a request has ended, for example since its user was erased. */
    hasEnded: (_token: string) => false,
  };
  let users = 0;
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    const credential = new Headers(init.headers).get("authorization")?.replace("Bearer ", "") ?? "";
    requests.push(`${pathname} ${credential}`);
    const isRenewal = pathname.endsWith("/renew");
    if (isRenewal && server.refusal) {
      const { status, retryAfter } = server.refusal;
      const headers: Record<string, string> =
        retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
      return new Response("", { status, headers });
    }
    if (pathname.startsWith("/v1/products"))
      return server.hasEnded(credential) ? new Response("", { status: 401 }) : Response.json({ items: [] });
    if (!isRenewal) users++;
    const { ttlSeconds = 7 * daySeconds } = JSON.parse(String(init.body));
    return Response.json(
      {
        userId: `anon-${users}`,
        token: `token-${requests.length}`,
        expiresAt: new Date(clock.at + ttlSeconds * 1000).toISOString(),
        endsAt: new Date(start + 90 * daySeconds * 1000).toISOString(),
      },
      { status: 201 },
    );
  };
  const open = (storage: SessionStorage, more: object = {}) =>
    new AnonymousSession({
      url: "https://api.example.com",
      publishableKey: "vic_pub_1",
      storage,
      fetch,
      now: () => clock.at,
      ...more,
    });
  return { clock, requests, server, open };
}

describe("AnonymousSession", () => {
  it("starts once for concurrent calls, and is continued by the next page", async () => {
    const { requests, open } = sessionServer();
    const storage = memoryStorage();
    const session = open(storage);
    const opened = await Promise.all([session.open(), session.open(), session.open()]);
    expect(opened.map(({ userId, token }) => [userId, token])).toEqual(Array(3).fill(["anon-1", "token-1"]));
    expect(new Set(opened.map(({ client }) => client)).size).toBe(1);
    expect(await open(storage).open()).toMatchObject({ userId: "anon-1", token: "token-1" });
    expect(requests).toEqual(["/v1/sessions vic_pub_1"]);
  });

  it("renews itself after half of the token's life, once for concurrent calls", async () => {
    const { clock, requests, open } = sessionServer();
    const session = open(memoryStorage(), { ttlSeconds: 3600 });
    await session.open();
    clock.at += 1_799_000;
    expect((await session.open()).token).toBe("token-1");
    clock.at += 1_000;
    const renewed = await Promise.all([session.open(), session.open()]);
    expect(renewed.map(({ userId, token }) => [userId, token])).toEqual(Array(2).fill(["anon-1", "token-2"]));
    expect(requests).toEqual(["/v1/sessions vic_pub_1", "/v1/sessions/renew token-1"]);
  });

  it("starts another session if it has ended or expired, or belongs to another key", async () => {
    const { clock, server, open } = sessionServer();
    const storage = memoryStorage();
    await open(storage).open();
    server.refusal = { status: 401 };
    clock.at += 4 * daySeconds * 1000;
    expect((await open(storage).open()).userId).toBe("anon-2");
    clock.at += 7 * daySeconds * 1000;
    expect((await open(storage).open()).userId).toBe("anon-3");
    expect((await open(storage, { publishableKey: "vic_pub_2" }).open()).userId).toBe("anon-4");
    for (const name of storage.texts.keys()) storage.setItem(name, "{");
    expect((await open(storage).open()).userId).toBe("anon-5");
    const session = open(storage);
    session.forget();
    expect((await session.open()).userId).toBe("anon-6");
  });

  it("starts another session after a call was answered with 401, and ignores late answers", async () => {
    const { requests, server, open } = sessionServer();
    const storage = memoryStorage();
    const [session, otherPage] = [open(storage), open(storage)];
    const [first, second] = [await session.open(), await otherPage.open()];
    await first.client.products.list();
    server.hasEnded = (token) => token === first.token;
    for (const { client } of [first, second, first])
      await expect(client.products.list()).rejects.toMatchObject({ problem: { status: 401 } });
    const reopened = await Promise.all([session.open(), otherPage.open(), session.open()]);
    expect(new Set(reopened.map(({ userId }) => userId)).size).toBeLessThanOrEqual(2);
    const { client, userId } = await session.open();
    expect(userId).not.toBe(first.userId);
    await client.products.list();
    // An answer to the ended token that arrives late does not end the new session.
    await expect(first.client.products.list()).rejects.toThrow();
    expect((await session.open()).userId).toBe(userId);
    expect(requests.filter((request) => request.startsWith("/v1/sessions/renew"))).toEqual([]);
  });

  it("does not start session after session while the server refuses each token", async () => {
    const { clock, requests, server, open } = sessionServer();
    const storage = memoryStorage();
    server.hasEnded = () => true;
    const callOnEachPage = async () => {
      for (let i = 0; i < 10; i++) {
        const { client } = await open(storage).open();
        await expect(client.products.list()).rejects.toThrow();
      }
    };
    const starts = () => requests.filter((request) => request === "/v1/sessions vic_pub_1").length;
    await callOnEachPage();
    expect(starts()).toBe(2);
    clock.at += 60_000;
    await callOnEachPage();
    expect(starts()).toBe(3);
  });

  it("uses its token while a renewal fails, and tries again when the server says", async () => {
    const { clock, requests, server, open } = sessionServer();
    const session = open(memoryStorage());
    await session.open();
    server.refusal = { status: 429, retryAfter: 10 };
    clock.at += 4 * daySeconds * 1000;
    for (let i = 0; i < 3; i++) expect((await session.open()).token).toBe("token-1");
    expect(requests).toHaveLength(2);
    clock.at += 10_000;
    server.refusal = null;
    expect(await session.open()).toMatchObject({ userId: "anon-1", token: "token-3" });
  });

  it("reports why no session can start", async () => {
    const fetch = async () => new Response("", { status: 503 });
    const { open } = sessionServer();
    await expect(open(memoryStorage(), { fetch }).open()).rejects.toThrow("503");
  });
});
