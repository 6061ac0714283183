import { hash53 } from "../columns/hash.ts";

/** One variant of an experiment. */
export interface Arm {
  name: string;
  /** Share of the users, relative to the shares of the other arms; 0 for no users. */
  share: number;
}

/** The input of the allocation. Each experiment allocates the same users independently of other experiments. */
export interface AllocationKey {
  application: string;
  experiment: string;
  userId: string;
}

/** `hash53` returns integers in [0, 2^53). */
const hashRange = 2 ** 53;

/** Returns a number in (0, 1) that depends only on the user, the experiment and the arm. */
function uniformHash({ application, experiment, userId }: AllocationKey, arm: string): number {
  return (hash53(JSON.stringify([application, experiment, arm, userId])) + 0.5) / hashRange;
}

/**
 * Returns the name of the arm of a user, without stored state: weighted rendezvous hashing (Schindelhauer and
 * Schomaker, "Weighted distributed hash tables", SPAA 2005). Each arm draws an exponential waiting time of rate `share`
 * from the hash of arm and user; the arm with the shortest time wins. When shares change, a user only moves to an arm
 * whose share grew relative to the old arm's share: a growing arm keeps all its users, a shrinking arm loses no more
 * than it must. Throws if all shares are 0.
 */
export function armOf(key: AllocationKey, arms: readonly Arm[]): string {
  let winner: string | null = null;
  let shortestWait = Number.POSITIVE_INFINITY;
  for (const { name, share } of arms) {
    if (!(share > 0)) continue;
    const wait = -Math.log(uniformHash(key, name)) / share;
    if (wait < shortestWait) {
      shortestWait = wait;
      winner = name;
    }
  }
  if (winner === null)
    throw new Error(`experiment ${key.experiment} has no arm with a share above 0: give one arm a share`);
  return winner;
}
