import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { applicationName, identifier, plainId } from "../../../shared/contracts/primitives.ts";

const issuer = "vicinity";
const tokenClaims = z.object({
  sub: identifier,
  app: applicationName,
  key: plainId,
  iat: z.number(),
  exp: z.number(),
});
const secretBytes = (secret: string): Uint8Array => new TextEncoder().encode(secret);

/** Whom a token identifies, and which key issued it. */
export interface TokenSubject {
  application: string;
  userId: string;
  /** Id of the key that issued the token. Revoking the key invalidates the token. */
  keyId: string;
}

/**
 * Returns a JWT (HS256) for one user, valid from `now` (seconds since the Unix epoch) for `ttl` seconds. `iat` has
 * fractions of a second, which RFC 7519 allows: a token ends with an erasure only if it was issued before it.
 */
export const issueToken = (
  subject: TokenSubject,
  secret: string,
  now: number,
  ttl: number,
): Promise<string> =>
  new SignJWT({ app: subject.application, key: subject.keyId })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(issuer)
    .setSubject(subject.userId)
    .setIssuedAt(now)
    .setExpirationTime(Math.floor(now) + ttl)
    .sign(secretBytes(secret));

/**
 * Returns the user and issuing key of a token, and when it was issued and expires. Returns null where the token is forged, expired,
 * malformed or of another issuer. All times are in seconds since the Unix epoch.
 */
export async function verifyToken(
  token: string,
  secret: string,
  now: number,
): Promise<(TokenSubject & { issuedAt: number; expiresAt: number }) | null> {
  try {
    const { payload } = await jwtVerify(token, secretBytes(secret), {
      algorithms: ["HS256"],
      issuer,
      requiredClaims: ["sub", "iat", "exp"],
      currentDate: new Date(now * 1000),
    });
    const parsed = tokenClaims.safeParse(payload);
    if (!parsed.success) return null;
    const { app, sub, key, iat, exp } = parsed.data;
    return { application: app, userId: sub, keyId: key, issuedAt: iat, expiresAt: exp };
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
