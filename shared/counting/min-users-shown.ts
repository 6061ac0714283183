import * as z from "zod";

/** How many different users must be behind what a list shows of the choices of others, unless configured. */
export const defaultMinUsersShown = 5;

const setting = z.coerce.number().int().min(1).max(100).default(defaultMinUsersShown);

/**
 * Returns how many different users must have made a transition, or chosen a product, before a list shows it to others:
 * `MIN_USERS_SHOWN` of the worker's variables, 1 to 100, default 5. Throws if the variable is invalid.
 */
export function minUsersShownOf(variables: object): number {
  const found = setting.safeParse(Reflect.get(variables, "MIN_USERS_SHOWN"));
  if (found.success) return found.data;
  throw new Error("MIN_USERS_SHOWN must be a whole number, 1 to 100");
}
