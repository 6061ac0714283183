/** Radius in km of a user's usual reach: the distances for which the model was trained. */
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
