import { SignJWT } from "jose";
import { createdKey, type KeyRole, type KeyScope, keyScopes } from "../../../shared/contracts/credential.ts";
import { type AccessLevel, isKeyScope } from "../keys/caller.ts";
import { generateKey } from "../keys/key.ts";
import { tokenSecretsOf } from "../keys/token-secrets.ts";
import {
  createTestGateway,
  issueSessionToken,
  issueTestToken,
  signTestToken,
  tokenSecrets,
  unlimitedRate,
} from "./test-gateway.ts";

const gateway = createTestGateway({ limiter: unlimitedRate });
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Creates a key through the API; without `application`, in the development application `demo`. */
export async function createKey(body: { role: KeyRole; scopes?: KeyScope[]; application?: string }) {
  return createdKey.parse(await (await gateway.call("POST", "/v1/keys", { body })).json());
}

/** Returns a token that is valid except for the given claims, header or secret. */
const forgeToken = (
  claims: Record<string, unknown>,
  header: { kid?: string; alg?: string } = {},
  secret = tokenSecrets[0].bytes,
): Promise<string> =>
  new SignJWT({
    iss: "vicinity",
    aud: "vicinity-api",
    sub: "x",
    app: "demo",
    key: "dev-admin-key",
    vouched: true,
    iat: nowSeconds(),
    exp: nowSeconds() + 3600,
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256", kid: "1", ...header })
    .sign(secret);

const [otherSecret] = tokenSecretsOf({ TOKEN_SECRET: "another-secret-of-at-least-32-characters" });

/** Creates credentials that identify no caller, by what is wrong with them. */
export async function createInvalidCredentials(): Promise<Record<string, string>> {
  const [revoked, rotated, near] = await Promise.all([
    createKey({ role: "admin" }),
    createKey({ role: "admin" }),
    createKey({ role: "admin" }),
  ]);
  await gateway.call("DELETE", `/v1/keys/${revoked.id}`);
  await gateway.call("POST", `/v1/keys/${rotated.id}/rotate`, { body: { overlapSeconds: 0 } });
  const token = await issueTestToken("x");
  const [header, payload, signature] = token.split(".");
  const unsigned = btoa(JSON.stringify({ alg: "none" })).replace(/=+$/, "");
  const at = nowSeconds();
  return {
    "a short text": "nobody",
    "a very long text": "x".repeat(8_000),
    "the prefix of a key": "vic_",
    "an unknown admin key": generateKey("admin"),
    "an unknown publishable key": generateKey("publishable"),
    "a key of the format of earlier versions": `vic_${"a".repeat(43)}`,
    "a key but for its last character": near.key.slice(0, -1) + (near.key.endsWith("A") ? "B" : "A"),
    "the id of a key": near.id,
    "a revoked key": revoked.key,
    "a rotated key after its overlap": rotated.key,
    "an expired token": await signTestToken({ issuedAt: at - 7200 }),
    "a token of a revoked key": await signTestToken({ keyId: revoked.id }),
    "a token of a rotated key after its overlap": await signTestToken({ keyId: rotated.id }),
    "a token of an unknown key": await forgeToken({ key: "none" }),
    "a token with an empty key id": await forgeToken({ key: "" }),
    "a token signed with another secret": await signTestToken({}, otherSecret),
    "a token of a secret that is gone": await forgeToken({}, { kid: "2" }),
    "a token that names no secret": await forgeToken({}, { kid: undefined }),
    "a token of another algorithm": await forgeToken({}, { alg: "HS384" }),
    "a token of another issuer": await forgeToken({ iss: "somebody" }),
    "a token for another audience": await forgeToken({ aud: "somebody" }),
    "a token without an audience": await forgeToken({ aud: undefined }),
    "a token that is not valid yet": await forgeToken({ nbf: at + 3600 }),
    "a token without a time of issue": await forgeToken({ iat: undefined }),
    "a token with an empty application": await forgeToken({ app: "" }),
    "a token with a malformed application": await forgeToken({ app: "demo:x" }),
    "a token that does not say whether somebody vouches": await forgeToken({ vouched: undefined }),
    "a token of a session without a start": await forgeToken({ vouched: false, network: null }),
    "a token without a signature": `${header}.${payload}.`,
    "a token with the algorithm none": `${unsigned}.${payload}.`,
    "a token with the payload of another": `${header}.${(await issueTestToken("y")).split(".")[1]}.${signature}`,
  };
}

/**
 * Headers from which the gateway reads no credential, by what is wrong with them. Some hold a valid key in the wrong
 * place.
 */
export const missingCredentials: Record<string, Record<string, string>> = {
  nothing: {},
  "an empty bearer": { authorization: "Bearer" },
  "another scheme": { authorization: "Basic ZGV2LWFkbWluLWtleQ==" },
  "no scheme": { authorization: "dev-admin-key" },
  "two bearers": { authorization: "Bearer dev-admin-key dev-admin-key" },
  "another header": { "x-api-key": "dev-admin-key" },
  "a cookie": { cookie: "authorization=dev-admin-key" },
  "a subprotocol without an upgrade": { "sec-websocket-protocol": "vicinity, dev-admin-key" },
};

/**
 * Creates credentials for an access level: valid ones that do not allow its operations (`insufficient`, by what they
 * are), and one that does (`sufficient`). Tokens are of the user `x`, who is in the paths of {@link parseOperations}.
 */
export async function credentialsFor(access: AccessLevel) {
  const [userToken, otherToken] = [await issueTestToken("x"), await issueTestToken("somebody-else")];
  const [sessionToken, otherSession] = [await issueSessionToken("x"), await issueSessionToken("anon-other")];
  const keyWith = async (scopes: KeyScope[]) => (await createKey({ role: "server", scopes })).key;
  const without = (scope: KeyScope) => keyScopes.filter((each) => each !== scope);
  const insufficient: Record<string, string> = {};
  let sufficient = userToken;
  if (access !== "anyone" && access !== "key") {
    insufficient["the development publishable key"] = "dev-publishable-key";
    insufficient["a publishable key"] = (await createKey({ role: "publishable" })).key;
  }
  if (access === "self" || access === "own" || access === "change") {
    insufficient["a token of another user"] = otherToken;
    insufficient["the token of another session"] = otherSession;
  }
  if (access === "anyone" || access === "key") sufficient = "dev-publishable-key";
  if (access === "session") {
    insufficient["an admin key"] = "dev-admin-key";
    insufficient["a server key with every scope"] = await keyWith([...keyScopes]);
    insufficient["a token of a user whom somebody vouches for"] = userToken;
    sufficient = sessionToken;
  }
  if (access === "own" || access === "change") {
    insufficient["a server key"] = "dev-server-key";
    const scope = access === "own" ? "people:read" : "people:write";
    insufficient["a server key with every other scope"] = await keyWith(without(scope));
  }
  if (access === "key" || access === "server" || access === "admin" || isKeyScope(access)) {
    insufficient["a token"] = userToken;
    insufficient["the token of a session"] = sessionToken;
  }
  if (access === "server") sufficient = "dev-server-key";
  if (access === "admin") {
    insufficient["a server key with every scope"] = await keyWith([...keyScopes]);
    sufficient = "dev-admin-key";
  }
  if (isKeyScope(access)) {
    insufficient["a server key"] = "dev-server-key";
    insufficient["a server key with every other scope"] = await keyWith(without(access));
    sufficient = await keyWith([access]);
  }
  return { insufficient, sufficient };
}

/** Returns a credential that may call an operation: the development admin key, or a session's token where that may not. */
export const strongestCredential = async ({ access }: { access: AccessLevel | null }): Promise<string> =>
  access === "session" ? issueSessionToken("x") : "dev-admin-key";
