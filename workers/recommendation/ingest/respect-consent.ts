import { allowedRow, allowedVisit } from "../../../shared/consent/allowed-rows.ts";
import type { ConsentLimits } from "../../../shared/consent/consent-limits.ts";
import {
  interactionsMessage,
  locationsMessage,
  type OutboxRow,
  type PlaceVisit,
  type UserRows,
} from "../../../shared/contracts/queues.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { coarsenedMessage } from "../../../shared/dead-letters/coarsened-message.ts";
import { coarsenInBatches } from "../../../shared/geo/coarsen-point.ts";

type Environment = Pick<RecommendationEnv, "USER" | "LOCATION">;

/** Returns what the consent of users allows to store, by user id. Users without a profile are left out. */
async function limitsOf(
  { USER }: Environment,
  application: string,
  users: readonly { userId: string }[],
): Promise<Map<string, ConsentLimits>> {
  const ids = [...new Set(users.map(({ userId }) => userId))];
  if (ids.length === 0) return new Map();
  const found = unwrap(await USER.findConsentLimits(application, ids), "the user service");
  return new Map(found.map((limits) => [limits.userId, limits]));
}

const hasPlace = (row: OutboxRow): boolean =>
  row.kind === "example" || (row.kind === "interaction" && row.interaction.location !== null);

/**
 * Returns rows as their users' consent allows to store them. A row may be older than a lowered consent: its location is
 * coarsened or removed, and a training example of a list for a finer place is left out.
 */
export async function respectConsent(
  env: Environment,
  application: string,
  users: readonly UserRows[],
): Promise<UserRows[]> {
  const withPlaces = users.filter(({ rows }) => rows.some(hasPlace));
  const limits = await limitsOf(env, application, withPlaces);
  const coarsen = coarsenInBatches(env.LOCATION);
  return Promise.all(
    users.map(async (user) => {
      const rows = user.rows.map((row) => allowedRow(coarsen, limits.get(user.userId), row));
      return { ...user, rows: (await Promise.all(rows)).filter((row) => row !== null) };
    }),
  );
}

/** Returns the visits of users as their consent allows to store them. */
export async function respectConsentOfVisits<U extends { userId: string; visits: PlaceVisit[] }>(
  env: Environment,
  application: string,
  users: readonly U[],
): Promise<U[]> {
  const limits = await limitsOf(env, application, users);
  const coarsen = coarsenInBatches(env.LOCATION);
  return Promise.all(
    users.map(async (user) => {
      const visits = user.visits.map((visit) => allowedVisit(coarsen, limits.get(user.userId), visit));
      return { ...user, visits: (await Promise.all(visits)).filter((visit) => visit !== null) };
    }),
  );
}

/**
 * Returns a queue message as its users' consent allows to store it; null if nothing is left. The same object is returned
 * if nothing has to change, and for a message of an unknown form.
 */
export async function respectConsentOfMessage(env: Environment, body: unknown): Promise<unknown> {
  const interactions = interactionsMessage.safeParse(body);
  const locations = locationsMessage.safeParse(body);
  const message = interactions.data ?? locations.data;
  if (!message) return body;
  const users = "users" in message ? message.users : [message];
  const limits = await limitsOf(env, message.application, users);
  const coarsen = coarsenInBatches(env.LOCATION);
  let coarse: unknown = body;
  for (const { userId, pseudonym } of users) {
    const found = limits.get(userId);
    if (found && coarse !== null) coarse = await coarsenedMessage(coarse, pseudonym, found, coarsen);
  }
  return coarse;
}
