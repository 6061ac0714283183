import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import {
  type CreatedKey,
  createdKey,
  type IssuedSession,
  type IssuedToken,
  issuedSession,
} from "../../../shared/contracts/credential.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, refuse } from "../../../shared/contracts/result.ts";
import { maxUnawaitedMs } from "../keys/key-changes.ts";
import { tokenSecretsOf } from "../keys/token-secrets.ts";
import { countingLimiter } from "../testing/counting-limiter.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway, issueTestToken, testSettings, unlimitedRate } from "../testing/test-gateway.ts";

type TestGateway = ReturnType<typeof createTestGateway>;

/** Creates a gateway whose clock a test moves, and a list of the requesters that its services are told. */
function gatewayWithClock(overrides: Parameters<typeof createTestGateway>[0] = {}) {
  const clock = { at: Date.now() };
  const requesters: Requester[] = [];
  const services = inMemoryServices();
  services.recommendation.setLocation = async (_application, _userId, _input, requester) => {
    requesters.push(requester);
    return refuse("not_found", "Only the requester matters.");
  };
  const gateway = createTestGateway({ services, limiter: unlimitedRate, now: () => clock.at, ...overrides });
  return { gateway, clock, requesters, services };
}

const createKey = async ({ call }: TestGateway, body: object): Promise<CreatedKey> =>
  createdKey.parse(await (await call("POST", "/v1/keys", { body })).json());
async function startSession(
  { call }: TestGateway,
  key: string,
  { address = "", body = {} }: { address?: string; body?: object } = {},
): Promise<IssuedSession> {
  const headers: Record<string, string> = address === "" ? {} : { "cf-connecting-ip": address };
  const answer = await call("POST", "/v1/sessions", { key, body, headers });
  expect(answer.status).toBe(201);
  return issuedSession.parse(await answer.json());
}
const renew = ({ call }: TestGateway, key: string, body: object = {}) =>
  call("POST", "/v1/sessions/renew", { key, body });

describe("POST /v1/sessions", () => {
  it("S1: gives a publishable key a fresh anonymous user, whom nobody vouches for", async () => {
    const { gateway, requesters } = gatewayWithClock();
    const { key, id } = await createKey(gateway, { role: "publishable" });
    const session = await startSession(gateway, key, { address: "192.0.2.7" });
    expect(session.userId).toMatch(/^anon-[A-Za-z0-9_-]{22}$/);
    const other = await startSession(gateway, key, { address: "192.0.2.200" });
    expect(other.userId).not.toBe(session.userId);
    const far = await startSession(gateway, key, { address: "198.51.100.1" });

    const claims = decodeJwt(session.token);
    expect(claims).toMatchObject({
      iss: "vicinity",
      aud: "vicinity-api",
      sub: session.userId,
      app: "demo",
      key: id,
    });
    expect(claims).toMatchObject({ vouched: false, exp: Date.parse(session.expiresAt) / 1000 });
    expect(session.token).not.toContain("192.0.2");
    expect(decodeProtectedHeader(session.token)).toMatchObject({ alg: "HS256", kid: "1" });

    const path = (userId: string) => `/v1/users/${userId}/location`;
    const send = (userId: string, credential: string) =>
      gateway.call("PUT", path(userId), { key: credential, body: { lat: 1.5, lon: 2.5 } });
    for (const { userId, token } of [session, other, far])
      expect((await send(userId, token)).status).toBe(404);
    expect(requesters).toMatchObject([
      { isVouched: false, tokenIssuedAt: claims.iat, network: claims.network },
      { isVouched: false, network: claims.network },
      { isVouched: false, network: decodeJwt(far.token).network },
    ]);
    expect(decodeJwt(far.token).network).not.toBe(claims.network);
    expect((await send("ann", session.token)).status).toBe(403);

    await send("ann", await issueTestToken("ann"));
    expect(requesters.at(-1)).toMatchObject({
      isVouched: true,
      network: null,
      tokenIssuedAt: expect.any(Number),
    });
    await send("ann", "dev-server-key");
    expect(requesters.at(-1)).toMatchObject({ isVouched: true, network: null, tokenIssuedAt: null });
  });

  it("starts sessions for servers without a network, since they ask for others", async () => {
    const { gateway } = gatewayWithClock();
    const { key } = await createKey(gateway, { role: "server" });
    for (const credential of [key, "dev-admin-key"]) {
      const { token } = await startSession(gateway, credential, { address: "192.0.2.7" });
      expect(decodeJwt(token)).toMatchObject({ vouched: false, network: null });
    }
  });

  it("limits the sessions that one address starts, an IPv6 network as one address", async () => {
    const address = countingLimiter(2);
    const network = countingLimiter(5);
    const { gateway } = gatewayWithClock({ sessionLimiters: { address, network } });
    const { key } = await createKey(gateway, { role: "publishable" });
    const start = async (address: string, credential = key) =>
      (
        await gateway.call("POST", "/v1/sessions", {
          key: credential,
          body: {},
          headers: { "cf-connecting-ip": address },
        })
      ).status;
    expect([await start("192.0.2.7"), await start("192.0.2.7"), await start("192.0.2.7")]).toEqual([
      201, 201, 429,
    ]);
    expect(await start("192.0.2.8")).toBe(201);
    expect([await start("2001:db8::1"), await start("2001:db8::2"), await start("2001:db8::3")]).toEqual([
      201, 201, 429,
    ]);
    const server = await createKey(gateway, { role: "server" });
    expect(await start("192.0.2.7", server.key)).toBe(201);
    expect([...address.counts.keys()]).toEqual([
      "demo/192.0.2.7",
      "demo/192.0.2.8",
      "demo/2001:db8:0:0::/64",
    ]);

    // One client may have a whole /48: each of its /64 networks is below the limit of an address.
    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push(await start(`2001:db8:1:${i}::1`));
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429, 429]);
    expect(await start("2001:db8:2::1")).toBe(201);
    expect([...network.counts.keys()]).toEqual([
      "demo/192.0.2.0/24",
      "demo/2001:db8:0::/48",
      "demo/2001:db8:1::/48",
      "demo/2001:db8:2::/48",
    ]);
  });

  it("bounds the life of a token, and needs a secret that has begun", async () => {
    const { gateway, clock } = gatewayWithClock();
    const short = await startSession(gateway, "dev-publishable-key", { body: { ttlSeconds: 60 } });
    expect(Date.parse(short.expiresAt)).toBe(Math.floor(clock.at / 1000) * 1000 + 60_000);
    const usual = await startSession(gateway, "dev-publishable-key");
    expect(Date.parse(usual.expiresAt) - Date.parse(short.expiresAt)).toBe(7 * 86_400_000 - 60_000);
    for (const ttlSeconds of [0, 59, 30 * 86_400 + 1, 60.5])
      expect((await gateway.call("POST", "/v1/sessions", { body: { ttlSeconds } })).status).toBe(400);
    const tokenSecrets = tokenSecretsOf({
      TOKEN_SECRET: `${Math.floor(clock.at / 1000) + 60}:${"s".repeat(32)}`,
    });
    const early = createTestGateway({ settings: { ...testSettings, tokenSecrets } });
    expect((await early.call("POST", "/v1/sessions", { body: {} })).status).toBe(503);
  });
});

describe("POST /v1/sessions/renew", () => {
  it("gives a new token of the same session, until the session ends", async () => {
    const { gateway, clock } = gatewayWithClock();
    const first = await startSession(gateway, "dev-publishable-key", { address: "192.0.2.7" });
    const startedAt = clock.at;
    let { token } = first;
    for (let day = 6; day < 90; day += 6) {
      clock.at = startedAt + day * 86_400_000;
      const answer = await renew(gateway, token);
      expect(answer.status, `day ${day}`).toBe(201);
      const next = issuedSession.parse(await answer.json());
      expect(next.userId).toBe(first.userId);
      expect(next.endsAt).toBe(first.endsAt);
      expect(decodeJwt(next.token)).toMatchObject({
        network: decodeJwt(first.token).network,
        started: decodeJwt(first.token).started,
      });
      token = next.token;
    }
    expect(decodeJwt(token).exp).toBe(Date.parse(first.endsAt) / 1000);
    clock.at = Date.parse(first.endsAt);
    expect((await renew(gateway, token)).status).toBe(401);
  });

  it("is refused to all other credentials", async () => {
    const { gateway } = gatewayWithClock();
    for (const key of ["dev-admin-key", "dev-publishable-key", await issueTestToken("ann")])
      expect((await renew(gateway, key)).status).toBe(403);
  });

  it("S10: is refused after the user was erased", async () => {
    const { gateway, services } = gatewayWithClock();
    const { userId, token } = await startSession(gateway, "dev-publishable-key");
    const asked: unknown[] = [];
    services.recommendation.checkRequester = async (...call) => {
      asked.push(call);
      return asked.length > 1 ? refuse("unauthorized", "The token ended with the erasure.") : ok(null);
    };
    expect((await renew(gateway, token)).status).toBe(201);
    const refused = await renew(gateway, token);
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(asked[1]).toEqual([
      "demo",
      userId,
      expect.objectContaining({ tokenIssuedAt: decodeJwt(token).iat }),
    ]);
  });
});

describe("a token and its key", () => {
  const issue = async ({ call }: TestGateway, key: string): Promise<string> =>
    (await (await call("POST", "/v1/tokens", { key, body: { userId: "eve" } })).json<IssuedToken>()).token;
  const rotate = ({ call }: TestGateway, id: string, overlapSeconds: number) =>
    call("POST", `/v1/keys/${id}/rotate`, { body: { overlapSeconds } });
  const ask = async ({ call }: TestGateway, key: string) =>
    (await call("GET", "/v1/trending", { key })).status;

  it("S9: ends at once where the key is rotated without an overlap, for tokens and sessions", async () => {
    const { gateway } = gatewayWithClock();
    const issuer = await createKey(gateway, { role: "server", scopes: ["tokens:issue"] });
    const page = await createKey(gateway, { role: "publishable" });
    const tokens = [await issue(gateway, issuer.key), (await startSession(gateway, page.key)).token];
    for (const token of tokens) expect(await ask(gateway, token)).toBe(200);
    for (const { id } of [issuer, page]) expect((await rotate(gateway, id, 0)).status).toBe(201);
    for (const token of tokens) expect(await ask(gateway, token)).toBe(401);
    expect((await renew(gateway, tokens[1])).status).toBe(401);
  });

  it("S9: ends when the overlap ends, also tokens that are issued during it", async () => {
    const { gateway, clock } = gatewayWithClock();
    const issuer = await createKey(gateway, { role: "server", scopes: ["tokens:issue"] });
    const before = await issue(gateway, issuer.key);
    const page = await createKey(gateway, { role: "publishable" });
    const session = await startSession(gateway, page.key);
    for (const { id } of [issuer, page]) await rotate(gateway, id, 600);
    const during = await issue(gateway, issuer.key);
    const end = Math.floor(clock.at / 1000) + 600;
    expect(decodeJwt(during).exp).toBe(end);
    const renewed = issuedSession.parse(await (await renew(gateway, session.token)).json());
    expect([Date.parse(renewed.expiresAt), Date.parse(renewed.endsAt)]).toEqual([end * 1000, end * 1000]);
    clock.at = end * 1000 - 1;
    for (const token of [before, during, renewed.token]) expect(await ask(gateway, token)).toBe(200);
    clock.at = end * 1000;
    for (const token of [before, during, session.token, renewed.token])
      expect(await ask(gateway, token)).toBe(401);
  });

  it("S9: ends with a revocation, in other isolates within ten seconds, where data is read at once", async () => {
    const { gateway, clock } = gatewayWithClock();
    const elsewhere = createTestGateway({ limiter: unlimitedRate, now: () => clock.at });
    const page = await createKey(gateway, { role: "publishable" });
    const { token, userId } = await startSession(gateway, page.key);
    expect(await ask(elsewhere, token)).toBe(200);
    await gateway.call("DELETE", `/v1/keys/${page.id}`);
    expect(await ask(gateway, token)).toBe(401);
    expect((await elsewhere.call("GET", `/v1/users/${userId}/export`, { key: token })).status).toBe(401);
    clock.at += maxUnawaitedMs;
    expect(await ask(elsewhere, token)).toBe(401);
  });
});

describe("a rotation of the token secret", () => {
  const secrets = (env: object) => ({ ...testSettings, tokenSecrets: tokenSecretsOf(env) });
  const [one, two] = ["1", "2"].map((digit) => digit.repeat(32));

  it("S9: accepts tokens of both secrets, in isolates with older and newer settings, until the older is gone", async () => {
    const { clock, gateway: old } = gatewayWithClock({ settings: secrets({ TOKEN_SECRET: one }) });
    const now = () => clock.at;
    const starts = Math.floor(clock.at / 1000) + 300;
    const both = { TOKEN_SECRET: one, TOKEN_SECRET_2: `${starts}:${two}` };
    const next = createTestGateway({ limiter: unlimitedRate, now, settings: secrets(both) });
    const last = createTestGateway({
      limiter: unlimitedRate,
      now,
      settings: secrets({ TOKEN_SECRET_2: two }),
    });
    const ask = async (gateway: TestGateway, key: string) =>
      (await gateway.call("GET", "/v1/trending", { key })).status;

    const first = await startSession(old, "dev-publishable-key");
    const early = await startSession(next, "dev-publishable-key");
    expect(decodeProtectedHeader(early.token).kid).toBe("1");
    for (const { token } of [first, early])
      expect([await ask(old, token), await ask(next, token)]).toEqual([200, 200]);
    clock.at = starts * 1000;
    const late = await startSession(next, "dev-publishable-key");
    expect(decodeProtectedHeader(late.token).kid).toBe("2");
    expect([await ask(next, first.token), await ask(next, late.token)]).toEqual([200, 200]);
    expect([await ask(last, first.token), await ask(last, late.token)]).toEqual([401, 200]);
  });
});
