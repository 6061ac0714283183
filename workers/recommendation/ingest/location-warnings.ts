import { maxSpeedKmh } from "../../../model/profile/believe-location.ts";
import type { EventInput, EventWarning } from "../../../shared/contracts/event.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import { implausibilityOf, implausibilityText } from "../../../shared/geo/implausible-point.ts";

/** Code of the warning for a location that is not believed. */
export const notBelieved = "location_not_believed";

/** Returns the location of an event; null without one, and for an implausible one, which counts as none. */
export const knownLocation = ({ location }: Pick<EventInput, "location">): Point | null =>
  location === undefined || implausibilityOf(location) !== null ? null : location;

/** Returns the warning for an event with an implausible location; null for other events. */
export function implausibleLocation(index: number, { location }: EventInput): EventWarning | null {
  const implausibility = location === undefined ? null : implausibilityOf(location);
  if (implausibility === null) return null;
  return {
    index,
    code: notBelieved,
    message: `\`location\`: ${implausibilityText[implausibility]}. The event is stored without a location.`,
  };
}

/** Why a location that the user cannot have reached is not believed, and what makes it believed. */
export const doubtText = `is farther from the user's last location than ${maxSpeedKmh} km/h allow in the time between; a second location near it will be believed`;

/** Returns the warning for an event whose location the user's object does not believe. */
export const doubtedLocation = (index: number): EventWarning => ({
  index,
  code: notBelieved,
  message: `\`location\` ${doubtText}.`,
});

/** Says that a location is stored nowhere, since its user allows none. */
export const notStoredText = "is stored nowhere: the user's consent is `none`";

/** Returns the warning for an event whose location was reduced to the precision that the user allows. */
export const coarsenedLocation = (index: number, precision: Precision): EventWarning =>
  precision === "none"
    ? { index, code: "location_not_stored", message: `\`location\` ${notStoredText}.` }
    : {
        index,
        code: "location_coarsened",
        message: `\`location\` is stored at the precision \`${precision}\` that the user allows.`,
      };
