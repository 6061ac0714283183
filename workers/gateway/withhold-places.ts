import type { Page } from "../../shared/contracts/page.ts";
import type { ShownUser, User, UserInteraction } from "../../shared/contracts/user.ts";
import type { Caller } from "./keys/caller.ts";
import { requesterOf } from "./keys/requester-of.ts";

/** Returns a user as a caller may see it: without the home where the caller may not know the user's places. */
export function userFor<U extends User>(caller: Caller, user: U): Omit<U, "home"> & Pick<ShownUser, "home"> {
  if (requesterOf(caller).mayKnowPlace) return user;
  const { home: _, ...rest } = user;
  return rest;
}

/** Returns interactions as a caller may see them: without locations where the caller may not know the user's places. */
export function interactionsFor(caller: Caller, page: Page<UserInteraction>) {
  if (requesterOf(caller).mayKnowPlace) return page;
  return { ...page, items: page.items.map(({ location: _, ...interaction }) => interaction) };
}
