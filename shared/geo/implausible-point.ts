import type { Point } from "../contracts/primitives.ts";
import { distanceKm } from "./distance.ts";

/** Distance from (0, 0) within which a point stands for a missing value. There is only sea within 500 km. */
const nullIslandKm = 1;

/**
 * Why a point hardly is where something is: `null_island` for (0, 0), which devices and exports write for a missing value;
 * `whole_degrees` for two coordinates without decimals, which are exact to 80 km at best.
 */
export type Implausibility = "null_island" | "whole_degrees";

/** Returns why a point is implausible; null for a plausible point. */
export function implausibilityOf({ lat, lon }: Point): Implausibility | null {
  if (distanceKm(lat, lon, 0, 0) <= nullIslandKm) return "null_island";
  return Number.isInteger(lat) && Number.isInteger(lon) ? "whole_degrees" : null;
}

/** What is wrong with an implausible point, and what to send instead. */
export const implausibilityText: Record<Implausibility, string> = {
  null_island: "(0, 0) stands for a missing location; leave the location out where it is unknown",
  whole_degrees: "both coordinates are whole degrees, exact to 80 km at best; send at least two decimals",
};
