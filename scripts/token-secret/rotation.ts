import type { SecretStore, StoredSecret } from "./secret-store.ts";
import { secretName } from "./secret-store.ts";

/**
 * Seconds from its creation after which a new secret signs. By then, every isolate has it and accepts its tokens:
 * Cloudflare deploys a secret everywhere within seconds.
 */
const startDelaySeconds = 300;
/** Highest number of a secret that the gateway reads. */
const maxNumber = 99;

const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();
const byNumber = (a: StoredSecret, b: StoredSecret): number => a.number - b.number;

/** What a rotation needs besides the store. Times are in seconds. */
export interface RotationOptions {
  now: number;
  /** Longest time for which a token is valid. */
  maxTokenSeconds: number;
  /** Returns a new random secret. */
  random: () => string;
}

/**
 * Returns from when on a secret is needed no more: its successor has signed for as long as a token lives. Null while it
 * has no successor, or if the successor's start is not known.
 */
function endsAt(secrets: readonly StoredSecret[], number: number, maxTokenSeconds: number): number | null {
  const successor = secrets.find((each) => each.number > number);
  return successor?.signsFrom == null ? null : successor.signsFrom + maxTokenSeconds;
}

/**
 * Adds the next secret, which begins to sign in five minutes. Tokens of the older ones stay valid. Throws while an
 * earlier rotation has not begun. Returns lines to print.
 */
export async function rotate(
  store: SecretStore,
  { now, maxTokenSeconds, random }: RotationOptions,
): Promise<string[]> {
  const secrets = (await store.list()).sort(byNumber);
  const newest = secrets.at(-1);
  if (newest && (newest.signsFrom ?? 0) > now)
    throw new Error(
      `${secretName(newest.number)} begins to sign at ${instant(newest.signsFrom ?? 0)}; rotate again after that.`,
    );
  const number = (newest?.number ?? 0) + 1;
  if (number > maxNumber)
    throw new Error(`The gateway reads secrets up to ${secretName(maxNumber)}; there is no next number.`);
  const signsFrom = Math.floor(now) + startDelaySeconds;
  await store.put({ number, signsFrom }, `${signsFrom}:${random()}`);
  return [
    `${secretName(number)} signs tokens from ${instant(signsFrom)}. ${store.effect}`,
    ...(newest
      ? [
          `Tokens of older secrets stay valid. From ${instant(signsFrom + maxTokenSeconds)} no token needs them: npm run token-secret -- end`,
        ]
      : []),
  ];
}

/**
 * Deletes the secrets that no valid token needs. With `ignoreTokens`, deletes all but the one that signs, which ends the
 * tokens of the others. Throws if it is too early. Returns lines to print.
 */
export async function end(
  store: SecretStore,
  { now, maxTokenSeconds }: Pick<RotationOptions, "now" | "maxTokenSeconds">,
  ignoreTokens: boolean,
): Promise<string[]> {
  const secrets = (await store.list()).sort(byNumber);
  const signing = secrets.findLast(({ signsFrom }) => (signsFrom ?? 0) <= now);
  const older = secrets.filter(({ number }) => signing !== undefined && number < signing.number);
  if (older.length === 0) throw new Error("No secret is older than the one that signs. Rotate first.");
  const ended = older.filter(({ number }) => {
    const at = endsAt(secrets, number, maxTokenSeconds);
    return ignoreTokens || (at !== null && at <= now);
  });
  if (ended.length === 0) {
    const [oldest] = older;
    const at = endsAt(secrets, oldest.number, maxTokenSeconds);
    throw new Error(
      `Tokens that ${secretName(oldest.number)} signed may be valid until ${at === null ? "a time that is not known" : instant(at)}. Wait, or end them now: npm run token-secret -- end --now`,
    );
  }
  const lines: string[] = [];
  for (const { number } of ended) {
    await store.delete(number);
    lines.push(`${secretName(number)} is deleted.`);
  }
  return [...lines, store.effect];
}

/** Returns a row for each secret: name, start, and what it does. */
export async function listRows(
  store: SecretStore,
  { now, maxTokenSeconds }: Pick<RotationOptions, "now" | "maxTokenSeconds">,
): Promise<string[][]> {
  const secrets = (await store.list()).sort(byNumber);
  const signing = secrets.findLast(({ signsFrom }) => (signsFrom ?? 0) <= now);
  return secrets.map(({ number, signsFrom }) => {
    const at = endsAt(secrets, number, maxTokenSeconds);
    const state =
      number === signing?.number
        ? "signs"
        : (signsFrom ?? 0) > now
          ? "accepts, signs later"
          : at === null
            ? "accepts"
            : at > now
              ? `accepts; may end from ${instant(at)}`
              : "may end";
    return [secretName(number), signsFrom ? instant(signsFrom) : "-", state];
  });
}
