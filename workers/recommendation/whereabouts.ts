import type { Person } from "../../model/person/person.ts";
import type { AnswerLocation, EdgePlace, LocationSource } from "../shared/contracts/location.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import type { LocationApi } from "../shared/contracts/services.ts";
import { coarsenToKilometre } from "../shared/geo/coarsen.ts";

/** Where a person was taken to be. */
export interface Whereabouts {
  point: Point | null;
  answer: AnswerLocation;
}

/** A point at a precision, before anything is computed from it or stored. */
export async function coarsened(location: LocationApi, point: Point, precision: Precision): Promise<Point> {
  if (precision === "exact") return point;
  if (precision === "1km") return coarsenToKilometre(point);
  const coarse = await location.coarsen(point, precision);
  return coarse.ok ? coarse.value.point : coarsenToKilometre(point);
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

/** Where to recommend for, at the precision that the person allows, and how the answer says it. */
export async function whereabouts(
  location: LocationApi,
  person: Person,
  asked: Point | undefined,
  edge: EdgePlace,
): Promise<Whereabouts> {
  const { precision } = person;
  const { point: raw, source } = await evidence(location, person, asked, edge);
  const point = raw ? await coarsened(location, raw, precision) : null;
  const resolved = point ? await location.resolve(point) : null;
  const place = resolved?.ok ? resolved.value : null;
  return { point, answer: { city: place?.city ?? null, country: place?.country ?? null, precision, source } };
}
