import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import { applicationName, identifier, plainId } from "../../../shared/contracts/primitives.ts";
import type { TokenSecret } from "./token-secrets.ts";

const issuer = "vicinity";
/** The audience of user tokens. The same secrets sign nothing else, and no other token is accepted. */
const audience = "vicinity-api";

const commonClaims = {
  sub: identifier,
  app: applicationName,
  key: plainId,
  iat: z.number(),
  exp: z.number(),
};
const tokenClaims = z.discriminatedUnion("vouched", [
  z.object({ ...commonClaims, vouched: z.literal(true) }),
  z.object({
    ...commonClaims,
    vouched: z.literal(false),
    started: z.number(),
    network: z.string().min(1).max(64).nullable(),
  }),
]);

/** An anonymous session. */
export interface Session {
  /** When the session started, in seconds since the Unix epoch. */
  startedAt: number;
  /** Keyed hash of the network in which the session started; null where a server started it. */
  network: string | null;
}

/** Whom a token identifies, and which key issued it. */
export interface TokenSubject {
  application: string;
  userId: string;
  /** Id of the key that issued the token. The token ends with the key. */
  keyId: string;
  /** The anonymous session of the user; null for a user whom the holder of a secret key vouches for. */
  session: Session | null;
}

/** A verified token. Times are in seconds since the Unix epoch. */
export interface VerifiedToken extends TokenSubject {
  issuedAt: number;
  expiresAt: number;
}

/**
 * Returns a JWT (HS256) for one user, issued at `now` and valid until `expiresAt` (seconds since the Unix epoch). `iat`
 * has fractions of a second, which RFC 7519 allows: a token ends with an erasure only if it was issued before it.
 */
export const issueToken = (
  { application, userId, keyId, session }: TokenSubject,
  secret: TokenSecret,
  now: number,
  expiresAt: number,
): Promise<string> =>
  new SignJWT({
    app: application,
    key: keyId,
    vouched: session === null,
    ...(session ? { started: session.startedAt, network: session.network } : {}),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: secret.id })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(userId)
    .setIssuedAt(now)
    .setExpirationTime(expiresAt)
    .sign(secret.bytes);

/** Returns the secret that a token names in its header; null where there is none, or where the text is no token. */
function secretOf(token: string, secrets: readonly TokenSecret[]): TokenSecret | null {
  const { kid } = decodeProtectedHeader(token);
  return secrets.find(({ id }) => id === kid) ?? null;
}

/**
 * Returns what a token says. Returns null where the token is forged, expired, malformed, for another audience, of another
 * issuer, or signed with a secret that is gone.
 */
export async function verifyToken(
  token: string,
  secrets: readonly TokenSecret[],
  now: number,
): Promise<VerifiedToken | null> {
  try {
    const secret = secretOf(token, secrets);
    if (!secret) return null;
    const { payload } = await jwtVerify(token, secret.bytes, {
      algorithms: ["HS256"],
      issuer,
      audience,
      requiredClaims: ["sub", "iat", "exp"],
      currentDate: new Date(now * 1000),
    });
    const { data } = tokenClaims.safeParse(payload);
    if (!data) return null;
    const session = data.vouched ? null : { startedAt: data.started, network: data.network };
    const { app, sub, key, iat, exp } = data;
    return { application: app, userId: sub, keyId: key, session, issuedAt: iat, expiresAt: exp };
  } catch (error) {
    // Only `decodeProtectedHeader` throws a TypeError: the text is no token.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
    throw error;
  }
}
