import type { Person } from "../../model/person/person.ts";
import type { AnswerLocation, EdgePlace, LocationSource } from "../shared/contracts/location.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import type { LocationApi } from "../shared/contracts/services.ts";
import { coarsenToKilometre, coarsenToRegion } from "../shared/geo/coarsen.ts";

/** Where a person was taken to be. */
export interface Whereabouts {
  point: Point | null;
  answer: AnswerLocation;
  /** What was left out, and why. */
  skipped?: string;
}

/** A point at a precision, before anything is computed from it or stored. */
export async function coarsened(location: LocationApi, point: Point, precision: Precision): Promise<Point> {
  if (precision === "exact") return point;
  if (precision === "1km") return coarsenToKilometre(point);
  const coarse = await location.coarsen(point, precision);
  return coarse.ok ? coarse.value.point : coarsenToRegion(point);
}

/** The strongest evidence there is: the request, where they were last, what the edge says, their home. */
async function evidence(
  location: LocationApi,
  person: Person,
  asked: Point | undefined,
  edge: EdgePlace,
): Promise<{ point: Point | null; source: LocationSource }> {
  if (asked) return { point: asked, source: "request" };
  if (person.location)
    return { point: { lat: person.location.lat, lon: person.location.lon }, source: "last" };
  const seen = await location.edge(edge);
  if (seen.ok && seen.value) return { point: seen.value, source: "edge" };
  if (person.home) return { point: person.home, source: "home" };
  return { point: null, source: "none" };
}

/** The city of a point, or why it is not known. */
async function cityOf(
  location: LocationApi,
  point: Point,
  late: Promise<"late"> | null,
): Promise<{ city: string | null; country: string | null; skipped?: string }> {
  try {
    const asked = location.resolve(point);
    const resolved = await (late ? Promise.race([asked, late]) : asked);
    if (resolved === "late") {
      asked.catch(() => null);
      return { city: null, country: null, skipped: "budget: the name of the city" };
    }
    return resolved.ok ? resolved.value : { city: null, country: null };
  } catch (error) {
    console.error({ event: "city not reached", error: String(error) });
    return { city: null, country: null, skipped: "the gazetteer: failed" };
  }
}

/**
 * Where to recommend for, at the precision that the person allows, and how the answer says it. Where the gazetteer cannot
 * be reached, what it is needed for is left out: the name of the city, and a place that only it could coarsen. `late`
 * resolves when there is no time left for names.
 */
export async function whereabouts(
  location: LocationApi,
  person: Person,
  asked: Point | undefined,
  edge: EdgePlace,
  late: Promise<"late"> | null = null,
): Promise<Whereabouts> {
  const { precision } = person;
  try {
    const { point: raw, source } = await evidence(location, person, asked, edge);
    const point = raw ? await coarsened(location, raw, precision) : null;
    const { city, country, skipped } = point
      ? await cityOf(location, point, late)
      : { city: null, country: null };
    return { point, answer: { city, country, precision, source }, ...(skipped ? { skipped } : {}) };
  } catch (error) {
    console.error({ event: "gazetteer not reached", error: String(error) });
    return {
      point: null,
      answer: { city: null, country: null, precision, source: "none" },
      skipped: "the gazetteer: failed, the place is not known",
    };
  }
}
