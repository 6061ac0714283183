/** A secret that signs and verifies user tokens. */
export interface TokenSecret {
  /** The number in the secret's name, as text. Tokens name it in their header `kid`. */
  id: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** When the secret begins to sign, in seconds since the Unix epoch. It verifies from the start. */
  signsFrom: number;
}

const namePrefix = "TOKEN_SECRET";
/** `TOKEN_SECRET` is the first; `TOKEN_SECRET_2` to `TOKEN_SECRET_99` follow. */
const numberedName = /^TOKEN_SECRET(?:_([2-9]|[1-9]\d))?$/;
const minSecretLength = 32;

/** Parses one secret. Throws with the secret's name and the right form, and never quotes the value. */
function parseSecret(name: string, value: unknown): TokenSecret {
  const number = numberedName.exec(name);
  if (!number)
    throw new Error(
      `${name} is no name of a token secret: use TOKEN_SECRET, TOKEN_SECRET_2, TOKEN_SECRET_3, …`,
    );
  const [, start = "0", secret = ""] =
    /^(?:(\d{1,12}):)?(.*)$/s.exec(typeof value === "string" ? value : "") ?? [];
  if (secret.length < minSecretLength)
    throw new Error(
      `${name} must be a secret of at least ${minSecretLength} characters, or SECONDS:SECRET, where SECONDS is when it begins to sign, since the Unix epoch`,
    );
  return {
    id: number[1] ?? "1",
    bytes: new Uint8Array(new TextEncoder().encode(secret)),
    signsFrom: Number(start),
  };
}

/**
 * Returns the secrets of an environment, by number, ascending. A deployment rotates them by adding one with a higher
 * number and a start in the near future: isolates with older settings then do not refuse its tokens. Throws for a
 * malformed secret.
 */
export const tokenSecretsOf = (env: object): TokenSecret[] =>
  Object.entries(env)
    .filter(([name]) => name.startsWith(namePrefix))
    .map(([name, value]) => parseSecret(name, value))
    .sort((a, b) => Number(a.id) - Number(b.id));

/** Returns the secret that signs at `now` (seconds since the Unix epoch): of those that have begun, the highest number. */
export const signingSecret = (secrets: readonly TokenSecret[], now: number): TokenSecret | null =>
  secrets.findLast(({ signsFrom }) => signsFrom <= now) ?? null;
