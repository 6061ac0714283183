import { hash53 } from "../columns/hash.ts";

/** One of the alternatives that share the people of an experiment. */
export interface Arm {
  name: string;
  /** Share of the people, in proportion to the other arms' shares; 0 for nobody. */
  share: number;
}

/** What decides, with a person, where they belong: other experiments divide the same people independently. */
export interface Draw {
  application: string;
  experiment: string;
  userId: string;
}

const span = 2 ** 53;

/** A number in (0, 1), the same each time for the same person, experiment and arm. */
function uniform({ application, experiment, userId }: Draw, arm: string): number {
  return (hash53(JSON.stringify([application, experiment, arm, userId])) + 0.5) / span;
}

/**
 * The arm of a person, without anything being kept: weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted
 * distributed hash tables", SPAA 2005). Each arm draws an exponential waiting time of rate `share` from the hash of arm and
 * person, and the first one wins. When shares change, people leave only arms whose share shrank against the arm that they
 * enter: an arm that grows keeps all its people, one that shrinks keeps as many as it may. Throws without any share.
 */
export function armOf(draw: Draw, arms: readonly Arm[]): string {
  let first: string | null = null;
  let soonest = Number.POSITIVE_INFINITY;
  for (const { name, share } of arms) {
    if (!(share > 0)) continue;
    const waits = -Math.log(uniform(draw, name)) / share;
    if (waits < soonest) {
      soonest = waits;
      first = name;
    }
  }
  if (first === null) throw new Error("no arm has a share");
  return first;
}
