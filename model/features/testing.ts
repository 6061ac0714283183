import type { Interaction, ProductFacts } from "../../shared/contracts/event.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { earthRadiusKm } from "../../shared/geo/distance.ts";
import { type Columns, decodeColumns } from "../columns/columns.ts";
import { ColumnsBuilder, type ColumnsRow } from "../columns/columns-builder.ts";
import { applyInteraction } from "../profile/apply-interaction.ts";
import { emptyProfile, type UserProfile } from "../profile/profile.ts";
import type { CandidateTrace, FeatureFamily } from "./families/feature-family.ts";
import { rankedBlock } from "./ranked-block.ts";
import { type RankingContext, rankingContext } from "./ranking-context.ts";

/** Units of time, in seconds. */
export const hour = 3600;
export const day = 24 * hour;
/** Wednesday, 2025-01-15, noon UTC. */
export const now = Date.UTC(2025, 0, 15, 12) / 1000;

/** A point on the equator, where distances in degrees are easy. */
export const origin: Point = { lat: 0, lon: 0 };
/** Returns the point `km` kilometers north of {@link origin}. */
export const north = (km: number): Point => ({ lat: (km / earthRadiusKm) * (180 / Math.PI), lon: 0 });

/** Returns a block of products `p0`, `p1`, ...; properties that a row leaves out are empty. */
export function blockOf(rows: readonly Partial<ColumnsRow>[], time = now): Columns {
  const builder = new ColumnsBuilder(rows.length);
  rows.forEach((row, i) => {
    builder.addRow({
      productId: `p${i}`,
      title: "",
      category: "cafe",
      lat: null,
      lon: null,
      version: 1,
      createdAt: now,
      lastTime: 0,
      priceMinor: null,
      currency: null,
      discount: 0,
      rating: null,
      available: true,
      groupId: null,
      cell: "c",
      counts: [0, 0, 0, 0, 0, 0],
      hot: [0, 0, 0],
      hours: [],
      weekdays: [],
      nextProducts: [],
      ...row,
    });
  });
  const block = decodeColumns(builder.finish({ cell: "c", version: 1, time, children: [] }));
  if (!block) throw new Error("a fresh block must decode");
  return block;
}

/** Returns an interaction, by default a purchase. */
export const makeInteraction = (
  productId: string,
  time: number,
  {
    type = "purchase",
    location = null,
    ...facts
  }: Partial<ProductFacts & Pick<Interaction, "type" | "location">> = {},
): Interaction => ({
  eventId: `${productId}-${time}`,
  type,
  productId,
  time,
  recommendationId: null,
  location,
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null, ...facts },
});

/** Returns the profile of a user with these interactions. */
export function profileOf(interactions: readonly Interaction[], offsetSeconds = 0): UserProfile {
  const profile = emptyProfile();
  for (const each of interactions) applyInteraction(profile, each, offsetSeconds);
  return profile;
}

/** Returns the context of a ranking of a whole block, which also contains the user's last choices. */
export const contextOf = (
  profile: UserProfile,
  block: Columns,
  { time = now, offsetSeconds = 0, point = null as Point | null } = {},
): RankingContext =>
  rankingContext(
    profile,
    time,
    offsetSeconds,
    point,
    [block],
    Array.from({ length: block.count }, (_, row) => ({ block, row })),
  );

/** Returns the features that a family computes for a row, by name; NaN for a feature that it does not write. */
export function featureValues(
  family: FeatureFamily,
  context: RankingContext,
  block: Columns,
  row = 0,
  trace: CandidateTrace = { near: 0, sources: 1 },
): Record<string, number> {
  const out = new Float32Array(family.names.length).fill(Number.NaN);
  family.fill(rankedBlock(context, block), row, trace, out, 0);
  return Object.fromEntries(family.names.map((name, i) => [name, out[i]]));
}
