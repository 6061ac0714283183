/** A secret that signs user tokens: its number, and when it begins to sign. */
export interface StoredSecret {
  /** 1 for `TOKEN_SECRET`, 2 for `TOKEN_SECRET_2`, and so on. */
  number: number;
  /** Seconds since the Unix epoch; null if this is not known, for a secret that was set by hand. */
  signsFrom: number | null;
}

/** Where the secrets of a deployment are. */
export interface SecretStore {
  list(): Promise<StoredSecret[]>;
  /** Stores a secret. `value` is `SECONDS:SECRET`, as the gateway parses it. */
  put(secret: StoredSecret & { signsFrom: number }, value: string): Promise<void>;
  delete(number: number): Promise<void>;
  /** What makes a change take effect, as a sentence. */
  readonly effect: string;
}

/** Returns the name of a secret by its number. */
export const secretName = (number: number): string =>
  number === 1 ? "TOKEN_SECRET" : `TOKEN_SECRET_${number}`;

/** Returns the number of a secret by its name; null for a name of something else. */
export function secretNumber(name: string): number | null {
  const found = /^TOKEN_SECRET(?:_(\d+))?$/.exec(name);
  return found && Number(found[1] ?? 1);
}
