import { hash53 } from "../columns/hash.ts";
import { armOf } from "./allocation.ts";

/** Slots into which the users of an exclusion group are divided. */
export const slotCount = 1000;

/** Returns the slot of a user in an exclusion group, 0 to {@link slotCount} - 1. */
export const slotOf = (application: string, group: string, userId: string): number =>
  hash53(JSON.stringify(["slot", application, group, userId])) % slotCount;

/** What the assignment of users needs of an experiment. */
export interface AssignedExperiment {
  run: string;
  group: string;
  /** Slots of the group that take part: from the first, up to the second, which is not included. */
  slotFrom: number;
  slotTo: number;
  variants: readonly { name: string; share: number }[];
}

/**
 * Returns the name of a user's variant in an experiment; null for a user who takes no part. It depends only on the
 * user, the run and the group: it stays for the whole run, and another run of the same name assigns anew.
 */
export function variantOfUser(
  application: string,
  userId: string,
  { run, group, slotFrom, slotTo, variants }: AssignedExperiment,
): string | null {
  const slot = slotOf(application, group, userId);
  if (slot < slotFrom || slot >= slotTo) return null;
  return armOf({ application, experiment: run, userId }, variants);
}

/**
 * Returns the first slots of a group that are free beside those in use: as many as the share `traffic` needs, in one
 * piece. Null if there is no such piece.
 */
export function freeSlots(
  used: readonly { slotFrom: number; slotTo: number }[],
  traffic: number,
): { slotFrom: number; slotTo: number } | null {
  const size = Math.max(1, Math.round(traffic * slotCount));
  let slotFrom = 0;
  for (const each of [...used].sort((a, b) => a.slotFrom - b.slotFrom)) {
    if (each.slotFrom - slotFrom >= size) break;
    slotFrom = Math.max(slotFrom, each.slotTo);
  }
  return slotFrom + size <= slotCount ? { slotFrom, slotTo: slotFrom + size } : null;
}
