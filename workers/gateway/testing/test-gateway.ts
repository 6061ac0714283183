import { usualConsent } from "../../../shared/consent/default-consent.ts";
import { retention } from "../../../shared/contracts/retention.ts";
import { createApp } from "../app.ts";
import type { Dependencies } from "../dependencies.ts";
import { KeyCopies } from "../keys/key-copies.ts";
import { tokenSecretsOf } from "../keys/token-secrets.ts";
import { issueToken, type TokenSubject } from "../keys/tokens.ts";
import type { RequestPoint } from "../metering/request-meter.ts";
import type { RateLimiter } from "../middleware/rate-limit.ts";
import { defaultMinBodyRate } from "../request/body-chunks.ts";
import type { GatewaySettings } from "../settings.ts";
import { GatewayStore } from "../store.ts";
import { inMemoryServices } from "./in-memory-services.ts";
import { testEnvironment } from "./test-environment.ts";

/** Marker of the state of tests: the database holds it, so that the development keys answer. */
export const developmentMarker = "a-marker-for-tests-of-at-least-32-characters";

/** Secrets that sign and verify the tokens of tests. */
export const tokenSecrets = tokenSecretsOf({ TOKEN_SECRET: "a-secret-for-tests-of-at-least-32-characters" });

/** Settings that accept development keys, tokens and pages of any origin. */
export const testSettings: GatewaySettings = {
  developmentMarker,
  localProxySecret: null,
  tokenSecrets,
  origins: "*",
  retention: retention.parse({}),
  initialImport: null,
  defaultConsent: usualConsent,
  minUsersShown: 5,
};

/** A rate limiter that never refuses. */
export const unlimitedRate: RateLimiter = { limit: async () => ({ success: true }) };

/**
 * Creates a gateway with in-memory services and a real D1 database; `overrides` replaces any of its dependencies.
 * Returns the application, its dependencies, the data points that it recorded (`points`), the background work that it
 * started (`pending`), and `call`, which sends a request to it.
 */
export function createTestGateway(overrides: Partial<Dependencies> = {}) {
  const points: RequestPoint[] = [];
  const pending: Promise<unknown>[] = [];
  const dependencies: Dependencies = {
    services: inMemoryServices(),
    store: new GatewayStore(testEnvironment.DB),
    copies: new KeyCopies(testEnvironment.KEYS),
    settings: testSettings,
    limiter: testEnvironment.RATE_LIMIT,
    applicationLimiter: unlimitedRate,
    addressLimiter: unlimitedRate,
    failureLimiter: unlimitedRate,
    sessionLimiters: { address: unlimitedRate, network: unlimitedRate },
    minBodyRate: defaultMinBodyRate,
    meter: { record: (point) => points.push(point) },
    pages: {
      fetch: async () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
    },
    now: Date.now,
    runInBackground: (work) => pending.push(work),
    ...overrides,
  };
  const app = createApp(dependencies);

  /**
   * Sends a request and returns the response. `key` is the credential: the development admin key unless given, none
   * where empty. An object as body is sent as JSON; texts, bytes and forms are sent as they are.
   */
  const call = async (
    method: string,
    path: string,
    options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Response> => {
    const { key = "dev-admin-key", body, headers = {} } = options;
    const raw = typeof body === "string" || body instanceof Uint8Array || body instanceof FormData;
    return app.request(path, {
      method,
      headers: {
        ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined || raw ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
    });
  };

  return { app, dependencies, points, pending, call };
}

/** Returns a token that is signed with the secret of tests, by default of `demo` and the development admin key. */
export function signTestToken(
  {
    issuedAt = Date.now() / 1000,
    ttl = 3600,
    ...subject
  }: Partial<TokenSubject> & { issuedAt?: number; ttl?: number },
  secret = tokenSecrets[0],
): Promise<string> {
  const whole = { application: "demo", userId: "x", keyId: "dev-admin-key", session: null, ...subject };
  return issueToken(whole, secret, issuedAt, Math.floor(issuedAt) + ttl);
}

/** Returns a token of a user, valid for an hour and issued by the development admin key. */
export const issueTestToken = (userId: string, application = "demo"): Promise<string> =>
  signTestToken({ userId, application });

/** Returns a token of an anonymous session of a user, as a development publishable key starts it. */
export const issueSessionToken = (userId: string): Promise<string> =>
  signTestToken({
    userId,
    keyId: "dev-publishable-key",
    session: { startedAt: Date.now() / 1000, network: "network-of-tests" },
  });
