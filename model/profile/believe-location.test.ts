import { describe, expect, it } from "vitest";
import { believeLocation, isReachable } from "./believe-location.ts";
import { emptyProfile, type UserProfile } from "./profile.ts";

const hour = 3600;
const start = 1_800_000_000;
const paris = { lat: 48.8566, lon: 2.3522 };
const lyon = { lat: 45.764, lon: 4.8357 };
const tokyo = { lat: 35.6762, lon: 139.6503 };
const osaka = { lat: 34.6937, lon: 135.5023 };
const lima = { lat: -12.0464, lon: -77.0428 };

/** Returns which of the reported locations are believed, and the profile after them. */
function report(sightings: [{ lat: number; lon: number }, hours: number][]) {
  const profile: UserProfile = emptyProfile();
  const believed = sightings.map(([point, hours]) => {
    const sighting = { ...point, time: start + hours * hour };
    const isBelieved = believeLocation(profile, sighting);
    if (isBelieved && (profile.location === null || sighting.time >= profile.location.time))
      profile.location = sighting;
    return isBelieved;
  });
  return { believed, profile };
}

describe("believeLocation", () => {
  it("P1: believes the first location and every reachable one", () => {
    expect(
      report([
        [paris, 0],
        [lyon, 2],
        [paris, 5],
        [tokyo, 18],
      ]).believed,
    ).toEqual([true, true, true, true]);
  });

  it("P1: does not believe a jump faster than 1,500 km/h, and ignores it once the user is back", () => {
    const { believed, profile } = report([
      [paris, 0],
      [tokyo, 1],
      [paris, 1.1],
      [tokyo, 1.2],
    ]);
    expect(believed).toEqual([true, false, true, false]);
    expect(profile.location).toMatchObject(paris);
  });

  it("P1: believes the second location of a user who is elsewhere, also some distance on", () => {
    const { believed, profile } = report([
      [paris, 0],
      [tokyo, 1],
      [osaka, 2],
      [tokyo, 4],
    ]);
    expect(believed).toEqual([true, false, true, true]);
    expect(profile.unconfirmedLocation).toBeNull();
    expect(profile.location).toMatchObject(tokyo);
  });

  it("P1: does not take one wrong location as proof of another", () => {
    const { believed, profile } = report([
      [paris, 0],
      [tokyo, 1],
      [lima, 1.5],
      [paris, 2],
    ]);
    expect(believed).toEqual([true, false, false, true]);
    expect(profile.location).toMatchObject(paris);
  });

  it("P1: compares events in any order, and history with its own time", () => {
    // An event from before the last location arrives later.
    expect(
      report([
        [paris, 10],
        [tokyo, 9.5],
      ]).believed,
    ).toEqual([true, false]);
    expect(
      report([
        [paris, 10],
        [lyon, 9],
      ]).believed,
    ).toEqual([true, true]);
    expect(
      report([
        [paris, 7200],
        [tokyo, 0],
      ]).believed,
    ).toEqual([true, true]);
  });

  it("P1: draws the line at 1,500 km/h, with a tolerance for what is exact to some kilometers", () => {
    const east = (km: number) => ({ lat: 0.5, lon: 10 + km / 111.19 });
    const reaches = (km: number, hours: number, precision: UserProfile["precision"] = "exact") =>
      isReachable({ ...east(0), time: start }, { ...east(km), time: start + hours * hour }, precision);
    expect(reaches(1450, 1)).toBe(true);
    expect(reaches(1550, 1)).toBe(false);
    expect(reaches(8, 0)).toBe(true);
    expect(reaches(60, 0)).toBe(false);
    expect(reaches(60, 0, "city")).toBe(true);
  });
});
