import * as z from "zod";

/** Minimum length of the secret, in characters. `npm run deploy` and `npm start` create 64 hexadecimal digits. */
const minSecretLength = 32;

const secretText = z.string().min(minSecretLength);

/** A key of WebCrypto; Workers and Node name the type differently. */
export type WebCryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The keys of a deployment's pseudonyms. None can be computed from another. */
export interface PseudonymKeys {
  /** AES-GCM key of the ids that clients receive: see `sealed-object-id.ts`. */
  objectId: WebCryptoKey;
  /** AES-GCM key of the cursors of lists that a page continues: see `workers/recommendation/serve/list-cursor.ts`. */
  cursor: WebCryptoKey;
  /** HMAC keys of the names in the training log: see `hashed-names.ts`. */
  logUser: WebCryptoKey;
  logRecommendation: WebCryptoKey;
  logEvent: WebCryptoKey;
  /** HMAC key of the name of a user in what the cells count: see `cellPseudonymOf`. */
  cellUser: WebCryptoKey;
}

/** The variables of a worker that computes pseudonyms. */
export interface PseudonymVariables {
  PSEUDONYM_SECRET: string;
}

/** Returns the secret from which the keys are derived. Throws if it is absent or too short. */
export function pseudonymSecretOf({ PSEUDONYM_SECRET }: Partial<PseudonymVariables>): string {
  const secret = secretText.safeParse(PSEUDONYM_SECRET);
  if (secret.success) return secret.data;
  const got = PSEUDONYM_SECRET ? `${PSEUDONYM_SECRET.length} characters` : "none";
  throw new Error(
    `The secret PSEUDONYM_SECRET of the recommendation worker must have at least ${minSecretLength} characters; ` +
      `got ${got}. \`npm run deploy\` creates it.`,
  );
}

async function deriveKeys(secret: string): Promise<PseudonymKeys> {
  const root = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), "HKDF", false, [
    "deriveKey",
  ]);
  const derivation = (name: string) => ({
    ...{ name: "HKDF", hash: "SHA-256", salt: new Uint8Array() },
    info: new TextEncoder().encode(name),
  });
  const aes = (name: string): Promise<WebCryptoKey> =>
    crypto.subtle.deriveKey(derivation(name), root, { name: "AES-GCM", length: 256 }, false, [
      "encrypt",
      "decrypt",
    ]);
  const hmac = (name: string): Promise<WebCryptoKey> =>
    crypto.subtle.deriveKey(derivation(name), root, { name: "HMAC", hash: "SHA-256", length: 256 }, false, [
      "sign",
    ]);
  const [objectId, cursor, logUser, logRecommendation, logEvent, cellUser] = await Promise.all([
    aes("vicinity object id"),
    aes("vicinity list cursor"),
    hmac("vicinity log user"),
    hmac("vicinity log recommendation"),
    hmac("vicinity log event"),
    hmac("vicinity cell user"),
  ]);
  return { objectId, cursor, logUser, logRecommendation, logEvent, cellUser };
}

// Keys are cached, not the promise of them: a request must not wait for work that another request started.
let cached: { secret: string; keys: PseudonymKeys } | null = null;

/** Returns the keys, which each isolate derives once. Throws if the secret is absent or too short. */
export async function pseudonymKeysOf(variables: Partial<PseudonymVariables>): Promise<PseudonymKeys> {
  // Only a secret that passed the check is cached.
  if (cached !== null && cached.secret === variables.PSEUDONYM_SECRET) return cached.keys;
  const secret = pseudonymSecretOf(variables);
  cached = { secret, keys: await deriveKeys(secret) };
  return cached.keys;
}
