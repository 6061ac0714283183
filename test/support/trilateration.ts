import type { Point } from "../../shared/contracts/primitives.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { distanceKm } from "../../shared/geo/distance.ts";

/** One request for recommendations of the victim, without a location: products within `radiusKm`, if it is given. */
export type AskForList = (radiusKm: number | null) => Promise<RecommendationAnswer | null>;

/** What one answer said: the scores, which change with the time of the day, and all else but ids and durations. */
interface Said {
  about: string;
  scores: Map<string, number>;
}

/** What an attacker has found out, and how many requests that took. */
export interface Attack {
  requests: number;
  /** Estimates of where the user is, by method; a method that had nothing to work with is missing. */
  estimates: Map<string, Point>;
  /** What each answer said. */
  transcript: Said[];
}

/** Kilometers of a degree of latitude. */
const kmPerDegree = 111.195;

/** A product at a known location, and what was measured of its distance from the user, in km. */
interface Measurement {
  at: Point;
  km: number;
}

/** Returns the point that fits measured distances best in the sense of least squares, by Gauss-Newton steps. */
export function fitPoint(measured: readonly Measurement[]): Point {
  const center = measured.reduce((sum, { at }) => ({ lat: sum.lat + at.lat, lon: sum.lon + at.lon }), {
    lat: 0,
    lon: 0,
  });
  let { lat, lon } = { lat: center.lat / measured.length, lon: center.lon / measured.length };
  for (let step = 0; step < 100; step++) {
    const scale = kmPerDegree * Math.cos((lat * Math.PI) / 180);
    // Normal equations of the linearized residuals, with a little damping.
    const [a, b] = [
      [1e-6, 0, 0],
      [1e-6, 0],
    ];
    for (const { at, km } of measured) {
      const [x, y] = [(lon - at.lon) * scale, (lat - at.lat) * kmPerDegree];
      const distance = Math.max(1e-6, Math.hypot(x, y));
      const [dx, dy, residual] = [x / distance, y / distance, km - distance];
      a[0] += dx * dx;
      a[1] += dx * dy;
      a[2] += dx * residual;
      b[0] += dy * dy;
      b[1] += dy * residual;
    }
    const determinant = a[0] * b[0] - a[1] * a[1];
    lon += (a[2] * b[0] - a[1] * b[1]) / determinant / scale;
    lat += (a[0] * b[1] - a[1] * a[2]) / determinant / kmPerDegree;
  }
  return { lat, lon };
}

/**
 * Returns the point from which the order of a list fits distances best: the grid point at which the most pairs of
 * neighbors in the list have the nearer product first. Grids of 4 km, 1 km and 250 m, each around the best of the last.
 */
function fitOrder(order: readonly Point[], start: Point): Point {
  const agreement = ({ lat, lon }: Point): number => {
    const km = order.map((at) => distanceKm(lat, lon, at.lat, at.lon));
    let pairs = 0;
    for (let i = 0; i < km.length; i++) for (let j = i + 1; j < km.length; j++) if (km[i] < km[j]) pairs++;
    return pairs;
  };
  let best = start;
  for (const stepKm of [1, 0.25, 0.06]) {
    const around = best;
    let most = -1;
    for (let i = -6; i <= 6; i++)
      for (let j = -6; j <= 6; j++) {
        const lat = around.lat + (i * stepKm) / kmPerDegree;
        const lon = around.lon + (j * stepKm) / kmPerDegree / Math.cos((lat * Math.PI) / 180);
        const pairs = agreement({ lat, lon });
        if (pairs > most) [most, best] = [pairs, { lat, lon }];
      }
  }
  return best;
}

/**
 * Tries to find out where a user is, with at most `budget` requests: by the distances in lists; by bisecting
 * `filter.radiusKm` for each product, whose presence says on which side of the radius it is; and by the order and scores
 * of lists. `places` are the products' locations, `start` is a point that the attacker guesses.
 */
export async function attack(
  ask: AskForList,
  places: ReadonlyMap<string, Point>,
  start: Point,
  budget: number,
): Promise<Attack> {
  let requests = 0;
  const transcript: Said[] = [];
  const list = async (radiusKm: number | null) => {
    requests++;
    const answer = await ask(radiusKm);
    if (answer)
      transcript.push({
        about: JSON.stringify([
          radiusKm,
          answer.location,
          answer.searched,
          answer.candidates,
          answer.stages.map(({ name, skipped }) => [name, skipped]),
          answer.items
            .map(({ productId, distanceKm: km, reasons }) => [productId, km, reasons])
            .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
        ]),
        scores: new Map(answer.items.map(({ productId, score }) => [productId, score])),
      });
    return answer;
  };
  const estimates = new Map<string, Point>();
  const placeOf = (productId: string): Point => places.get(productId) as Point;

  const whole = await list(null);
  if (whole) {
    const shown = whole.items.flatMap(({ productId, distanceKm: km }) =>
      km === null ? [] : [{ at: placeOf(productId), km }],
    );
    if (shown.length >= 3) estimates.set("distances", fitPoint(shown));
    const byScore = [...whole.items]
      .sort((a, b) => b.score - a.score)
      .map(({ productId }) => placeOf(productId));
    if (byScore.length >= 3) estimates.set("order", fitOrder(byScore, start));

    // For each product, the smallest radius known to contain it and the largest known not to.
    const bounds = new Map([...places.keys()].map((id) => [id, { inside: 64, outside: 0 }]));
    const widest = (): { inside: number; outside: number } =>
      [...bounds.values()].reduce((wide, each) =>
        each.inside - each.outside > wide.inside - wide.outside ? each : wide,
      );
    while (requests < budget) {
      const { inside, outside } = widest();
      if (inside - outside < 1e-6) break;
      const radiusKm = (inside + outside) / 2;
      const within = await list(radiusKm);
      const ids = new Set(within?.items.map(({ productId }) => productId));
      for (const [id, each] of bounds)
        if (ids.has(id)) each.inside = Math.min(each.inside, radiusKm);
        else each.outside = Math.max(each.outside, radiusKm);
    }
    const bisected = [...bounds]
      .filter(([, { inside, outside }]) => inside < 64 && inside - outside < 1)
      .map(([id, { inside, outside }]) => ({ at: placeOf(id), km: (inside + outside) / 2 }));
    if (bisected.length >= 3) estimates.set("radius", fitPoint(bisected));
  }
  return { requests, estimates, transcript };
}

/** Returns the error of the best estimate of an attack in km; infinite if the attack has none. */
export const errorKm = ({ estimates }: Attack, { lat, lon }: Point): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...[...estimates.values()].map((each) => distanceKm(lat, lon, each.lat, each.lon)),
  );

/**
 * Returns by how much the answers about two users differ: the largest relative difference of two scores, and infinity if
 * anything else differs.
 */
export function differenceOf({ transcript: a }: Attack, { transcript: b }: Attack): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [i, { about, scores }] of a.entries()) {
    if (about !== b[i].about) return Number.POSITIVE_INFINITY;
    for (const [id, score] of scores)
      largest = Math.max(largest, Math.abs((b[i].scores.get(id) ?? 0) / score - 1));
  }
  return largest;
}
