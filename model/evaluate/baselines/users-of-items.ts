import type { UserChoices } from "./user-choices.ts";

/** Distinct items that count of one user, those chosen last. */
export const maxItemsOfUser = 500;

/** Returns the distinct items of the user's first `count` choices, newest first, at most {@link maxItemsOfUser}. */
export function distinctItems({ items }: UserChoices, count: number): number[] {
  const found = new Set<number>();
  for (let k = count - 1; k >= 0 && found.size < maxItemsOfUser; k--) found.add(items[k]);
  return [...found];
}

/** Returns the indexes of the users who have each item, from the items of each user. */
export function usersOfItems(itemsOfUsers: readonly (readonly number[])[], items: number): number[][] {
  const users = Array.from({ length: items }, (): number[] => []);
  itemsOfUsers.forEach((each, user) => {
    for (const item of each) users[item].push(user);
  });
  return users;
}
