import { SignJWT } from "jose";
import { createdKey, type KeyRole, type KeyScope, keyScopes } from "../../../shared/contracts/credential.ts";
import { type AccessLevel, isKeyScope } from "../keys/caller.ts";
import { generateKey } from "../keys/key.ts";
import { issueToken } from "../keys/tokens.ts";
import { createTestGateway, issueTestToken, tokenSecret, unlimitedRate } from "./test-gateway.ts";

const gateway = createTestGateway({ limiter: unlimitedRate });
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Creates a key through the API; without `application`, in the development application `demo`. */
export async function createKey(body: { role: KeyRole; scopes?: KeyScope[]; application?: string }) {
  return createdKey.parse(await (await gateway.call("POST", "/v1/keys", { body })).json());
}

/** Returns a token that is valid except for the given claims or secret. */
const forgeToken = (claims: Record<string, string | number>, secret = tokenSecret): Promise<string> =>
  new SignJWT({
    iss: "vicinity",
    sub: "x",
    app: "demo",
    key: "dev-admin-key",
    exp: nowSeconds() + 3600,
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));

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
    "an expired token": await issueToken(
      { application: "demo", userId: "x", keyId: "dev-admin-key" },
      tokenSecret,
      at - 7200,
      3600,
    ),
    "a token of a revoked key": await issueToken(
      { application: "demo", userId: "x", keyId: revoked.id },
      tokenSecret,
      at,
      3600,
    ),
    "a token of an unknown key": await forgeToken({ key: "none" }),
    "a token with an empty key id": await forgeToken({ key: "" }),
    "a token signed with another secret": await forgeToken({}, `${tokenSecret}!`),
    "a token of another issuer": await forgeToken({ iss: "somebody" }),
    "a token that is not valid yet": await forgeToken({ nbf: at + 3600 }),
    "a token with an empty application": await forgeToken({ app: "" }),
    "a token with a malformed application": await forgeToken({ app: "demo:x" }),
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
  const keyWith = async (scopes: KeyScope[]) => (await createKey({ role: "server", scopes })).key;
  const without = (scope: KeyScope) => keyScopes.filter((each) => each !== scope);
  const insufficient: Record<string, string> = {};
  let sufficient = userToken;
  if (access !== "anyone") {
    insufficient["the development publishable key"] = "dev-publishable-key";
    insufficient["a publishable key"] = (await createKey({ role: "publishable" })).key;
  }
  if (access === "anyone") sufficient = "dev-publishable-key";
  else if (access === "self") insufficient["a token of another user"] = otherToken;
  else if (access === "own") {
    insufficient["a token of another user"] = otherToken;
    insufficient["a server key"] = "dev-server-key";
    insufficient["a server key with every other scope"] = await keyWith(without("people:read"));
  } else if (access !== "user") {
    insufficient["a token"] = userToken;
    sufficient = "dev-server-key";
  }
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
