/** Radius in km of a user's usual reach: beyond it, the model was not trained. */
export const usualReachKm = 60;

/** Width in km of the zone beyond the reach in which the score gives way to the distance. */
const fadeKm = usualReachKm / 2;
/** Power of the distance that divides a score beyond the reach. */
const distancePower = 4;

/**
 * Returns the logarithm of a score with the term for distance. Within {@link usualReachKm}, and for a product without a
 * location (NaN), it is the score's own logarithm. Beyond, it falls with the fourth power of the distance, and moves
 * from the score to `floor`: from 90 km on it depends on the distance alone, so that far products follow the local ones
 * by distance. It is continuous.
 *
 * @param floor - The logarithm of a score below that of nearly every local product.
 */
export function logScoreAtDistance(logScore: number, km: number, floor: number): number {
  if (!(km > usualReachKm)) return logScore;
  const own = Math.max(0, 1 - (km - usualReachKm) / fadeKm);
  return own * logScore + (1 - own) * floor - distancePower * Math.log(km / usualReachKm);
}

/** Distance in km from which a product must be worth the way. */
export const easyReachKm = 20;
/** Power of the distance that divides a score of the model between the easy and the usual reach. */
const wayPower = 2;

/**
 * Returns the logarithm of a score of the model with the term for the way: beyond {@link easyReachKm}, the score falls
 * with the square of the distance. The model weighs distances within a city, where popularity may outweigh some
 * kilometers. For a village, it would put the popular products of the next town before its own.
 */
export const logScoreAfterWay = (logScore: number, km: number): number =>
  km > easyReachKm ? logScore - wayPower * Math.log(km / easyReachKm) : logScore;

/**
 * Distance in km as which a product without a location counts in the score of the model. The model was trained on
 * products of places, and would put products that are anywhere before those of the user's own village.
 */
export const placelessWayKm = usualReachKm;
