import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import {
  blockOf,
  contextOf,
  day,
  featureValues,
  makeInteraction,
  north,
  now,
  origin,
  profileOf,
} from "../testing.ts";
import { geographyFeatures } from "./geography.ts";

const kms = [0, 0.1, 0.5, 1, 2, 5, 20, 300, 20_000];
const block = blockOf([...kms.map(north), {}]);
const [twoKm, nowhere] = [kms.indexOf(2), kms.length];

/** A user whose home, last choice and only usual place are the origin. */
const local = profileOf([makeInteraction("x", now - day, origin)]);
local.home = origin;
const context = contextOf(local, block, { point: origin });

describe("geographyFeatures", () => {
  it("compute the distance from the user, the last choice and home, in log and as decays", () => {
    const values = featureValues(geographyFeatures, context, block, twoKm);
    for (const name of ["distance_known", "last_known", "home_known", "placed"]) expect(values[name]).toBe(1);
    for (const name of ["distance_log", "last_distance_log", "home_distance_log", "usual_nearest_log"])
      expect(values[name]).toBeCloseTo(Math.log(3) / 2, 5);
    expect(values["distance_within_0.3"]).toBeCloseTo(Math.exp(-2 / 0.3), 5);
    expect(values.distance_within_1).toBeCloseTo(Math.exp(-2), 5);
    expect(values.distance_within_4).toBeCloseTo(Math.exp(-2 / 4), 5);
    expect(values.distance_within_15).toBeCloseTo(Math.exp(-2 / 15), 5);
    expect(values.last_within_1).toBeCloseTo(Math.exp(-2), 5);
  });

  it("compute the density of usual places with kernels of three bandwidths", () => {
    const values = featureValues(geographyFeatures, context, block, twoKm);
    for (const km of [0.5, 2, 8]) {
      const kernel = Math.exp((-2 * 2) / (2 * km * km));
      expect(values[`usual_density_${km}`]).toBeCloseTo((Math.log(kernel + 1e-3) + 7) / 3, 5);
    }
    // A second place with as many choices, beyond all kernels, halves the density.
    const twoPlaces = profileOf([
      makeInteraction("x", now - day, origin),
      makeInteraction("y", now - day, north(500)),
    ]);
    const split = featureValues(geographyFeatures, contextOf(twoPlaces, block), block, 0);
    expect(split.usual_density_2).toBeCloseTo((Math.log(0.5 + 1e-3) + 7) / 3, 5);
    expect(split.usual_nearest_log).toBeCloseTo(0, 3);
  });

  it("grow with proximity, and stay bounded at half of the Earth's circumference", () => {
    const rows = kms.map((_, row) => featureValues(geographyFeatures, context, block, row));
    for (const [i, far] of rows.slice(1).entries()) {
      const near = rows[i];
      for (const name of geographyFeatures.names)
        if (name.endsWith("_log")) expect(near[name]).toBeLessThan(far[name]);
        else if (name.includes("within") || name.includes("density"))
          expect(near[name]).toBeGreaterThanOrEqual(far[name]);
      if (kms[i + 1] <= 20) expect(near.distance_within_4).toBeGreaterThan(far.distance_within_4);
    }
    for (const values of rows)
      for (const value of Object.values(values)) expect(Math.abs(value)).toBeLessThanOrEqual(5);
  });

  it("are 0, with indicators of 0, if the location of the user or the product is unknown", () => {
    const unknown = featureValues(geographyFeatures, contextOf(emptyProfile(), block), block, twoKm);
    expect(Object.values(unknown)).toEqual(
      geographyFeatures.names.map((name) => (name === "placed" ? 1 : 0)),
    );
    const placeless = featureValues(geographyFeatures, context, block, nowhere);
    expect(Object.values(placeless)).toEqual(geographyFeatures.names.map(() => 0));
  });

  it("ignore a last choice without a location", () => {
    const values = featureValues(
      geographyFeatures,
      contextOf(profileOf([makeInteraction("x", now - day)]), block),
      block,
      0,
    );
    expect(values).toMatchObject({ last_known: 0, last_distance_log: 0, last_within_1: 0, placed: 1 });
  });

  it("ignore usual places whose choices are centuries old", () => {
    const old = profileOf([makeInteraction("x", Date.UTC(1800, 0, 1) / 1000, origin)]);
    const values = featureValues(geographyFeatures, contextOf(old, block), block);
    expect(values.usual_density_2).toBe(0);
    expect(values).toMatchObject({ usual_known: 0, usual_nearest_log: 0 });
    const lately = featureValues(
      geographyFeatures,
      contextOf(profileOf([makeInteraction("x", now - day, origin)]), block),
      block,
    );
    expect(lately.usual_known).toBe(1);
  });
});
