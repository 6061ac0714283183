import { allowedRow, allowedVisit } from "../consent/allowed-rows.ts";
import type { ConsentLimits } from "../consent/consent-limits.ts";
import { interactionsMessage, locationsMessage, type UserRows } from "../contracts/queues.ts";
import type { CoarsenToStore } from "../geo/coarsen-point.ts";

/** Returns a list with every entry changed, without nulls; the same list if nothing changed. */
async function changeEach<T>(list: T[], change: (entry: T) => Promise<T | null>): Promise<T[]> {
  const changed = await Promise.all(list.map(change));
  return changed.every((entry, i) => entry === list[i]) ? list : changed.filter((entry) => entry !== null);
}

/**
 * Returns a queue message in which the rows of one user are as the consent allows to store them; null if nothing is
 * left. The same object is returned if nothing has to change.
 */
export async function coarsenedMessage(
  body: unknown,
  pseudonym: string,
  limits: ConsentLimits,
  coarsen: CoarsenToStore,
): Promise<unknown> {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const users = await changeEach(interactions.data.users, async (user): Promise<UserRows | null> => {
      if (user.pseudonym !== pseudonym) return user;
      const rows = await changeEach(user.rows, (row) => allowedRow(coarsen, limits, row));
      return rows === user.rows ? user : rows.length === 0 ? null : { ...user, rows };
    });
    if (users === interactions.data.users) return body;
    return users.length === 0 ? null : { ...interactions.data, users };
  }
  const locations = locationsMessage.safeParse(body);
  if (!locations.success || locations.data.pseudonym !== pseudonym) return body;
  const rows = await changeEach(locations.data.rows, (row) => allowedVisit(coarsen, limits, row));
  if (rows === locations.data.rows) return body;
  return rows.length === 0 ? null : { ...locations.data, rows };
}
