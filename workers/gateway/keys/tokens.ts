import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { applicationName, identifier } from "../../shared/contracts/primitives.ts";

const issuer = "vicinity";
const claims = z.object({ sub: identifier, app: applicationName });
const bytes = (secret: string): Uint8Array => new TextEncoder().encode(secret);

/** The person that a token stands for. */
export interface TokenSubject {
  application: string;
  userId: string;
}

/** A JWT (HS256) for one person, valid from `now` for `ttl` seconds. */
export const issueToken = (
  subject: TokenSubject,
  secret: string,
  now: number,
  ttl: number,
): Promise<string> =>
  new SignJWT({ app: subject.application })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(issuer)
    .setSubject(subject.userId)
    .setIssuedAt(now)
    .setExpirationTime(now + ttl)
    .sign(bytes(secret));

/** The person of a token; null where it is forged, expired, of another issuer or malformed. `now` in seconds. */
export async function verifyToken(token: string, secret: string, now: number): Promise<TokenSubject | null> {
  try {
    const { payload } = await jwtVerify(token, bytes(secret), {
      algorithms: ["HS256"],
      issuer,
      requiredClaims: ["sub", "exp"],
      currentDate: new Date(now * 1000),
    });
    const parsed = claims.safeParse(payload);
    return parsed.success ? { application: parsed.data.app, userId: parsed.data.sub } : null;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
