import { SignJWT } from "jose";
import { createdKey, type KeyScope, keyScopes } from "../../../shared/contracts/credential.ts";
import type { Access } from "../keys/caller.ts";
import { keyOf } from "../keys/key.ts";
import { issueToken } from "../keys/tokens.ts";
import { openGateway, tokenFor, tokenSecret, unlimited } from "./test-gateway.ts";

const gateway = openGateway({ limiter: unlimited });
const seconds = (): number => Math.floor(Date.now() / 1000);
const isScope = (access: Access): access is KeyScope => keyScopes.some((scope) => scope === access);

/** A new key of an application. */
export async function makeKey(body: { role: "admin" | "client"; scopes?: KeyScope[]; application?: string }) {
  return createdKey.parse(await (await gateway.call("POST", "/v1/keys", { body })).json());
}

/** A token with whatever claims and secret. */
const forge = (claims: Record<string, string | number>, secret = tokenSecret): Promise<string> =>
  new SignJWT({
    iss: "vicinity",
    sub: "x",
    app: "demo",
    key: "dev-admin-key",
    exp: seconds() + 3600,
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));

/** Credentials that belong to nobody, by what is wrong with them. */
export async function invalidCredentials(): Promise<Record<string, string>> {
  const [revoked, rotated, near] = await Promise.all([
    makeKey({ role: "admin" }),
    makeKey({ role: "admin" }),
    makeKey({ role: "admin" }),
  ]);
  await gateway.call("DELETE", `/v1/keys/${revoked.id}`);
  await gateway.call("POST", `/v1/keys/${rotated.id}/rotate`, { body: { overlapSeconds: 0 } });
  const token = await tokenFor("x");
  const [header, payload, signature] = token.split(".");
  const unsigned = btoa(JSON.stringify({ alg: "none" })).replace(/=+$/, "");
  const at = seconds();
  return {
    "a word": "nobody",
    "a very long word": "x".repeat(8_000),
    "the prefix of a key": "vic_",
    "a key that never was": keyOf(crypto.getRandomValues(new Uint8Array(32))),
    "a key but for its last letter": near.key.slice(0, -1) + (near.key.endsWith("A") ? "B" : "A"),
    "the id of a key": near.id,
    "a revoked key": revoked.key,
    "a key whose rotation is over": rotated.key,
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
    "a token of a key that never was": await forge({ key: "none" }),
    "a token of no key": await forge({ key: "" }),
    "a token of another secret": await forge({}, `${tokenSecret}!`),
    "a token of another issuer": await forge({ iss: "somebody" }),
    "a token that is not valid yet": await forge({ nbf: at + 3600 }),
    "a token of no application": await forge({ app: "" }),
    "a token of an application that cannot be": await forge({ app: "demo:x" }),
    "a token without a signature": `${header}.${payload}.`,
    "a token of no algorithm": `${unsigned}.${payload}.`,
    "a token with another's payload": `${header}.${(await tokenFor("y")).split(".")[1]}.${signature}`,
  };
}

/** Headers that are no credential, though some hold one. */
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

/** For a kind of operation: valid credentials that are too weak for it, and one that is enough. */
export async function credentialsFor(access: Access) {
  const [person, other] = [await tokenFor("x"), await tokenFor("somebody-else")];
  const keyWith = async (scopes: KeyScope[]) => (await makeKey({ role: "client", scopes })).key;
  const without = (scope: KeyScope) => keyScopes.filter((each) => each !== scope);
  const weak: Record<string, string> = {};
  let enough = person;
  if (access === "self") weak["a token of another person"] = other;
  else if (access === "own") {
    weak["a token of another person"] = other;
    weak["a client key"] = "dev-client-key";
    weak["a client key with every other scope"] = await keyWith(without("people:read"));
  } else if (access !== "anyone") {
    weak["a token of a person"] = person;
    enough = "dev-client-key";
  }
  if (access === "admin") {
    weak["a client key with every scope"] = await keyWith([...keyScopes]);
    enough = "dev-admin-key";
  }
  if (isScope(access)) {
    weak["a client key"] = "dev-client-key";
    weak["a client key with every other scope"] = await keyWith(without(access));
    enough = await keyWith([access]);
  }
  return { weak, enough };
}
