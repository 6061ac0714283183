// Prints what the release before stores and sends, as JSON. Run with the code of that release, its output
// is release-before.fixtures.json; the long form of the tests compares the two.
import fc from "fast-check";
import { encodeProfile } from "../../model/profile/codec.ts";
import { anyProfile } from "../../model/profile/testing/any-profile.ts";
import { catalogMessage, interactionsMessage, locationsMessage } from "../../shared/contracts/queues.ts";

const pseudonym = "0123456789abcdef".repeat(4);
const user = { userId: "ann", pseudonym, generation: 1 };
const time = 1_769_860_800;
const place = { lat: 59.91, lon: 10.75 };

const profiles = fc.sample(anyProfile, { seed: 1, numRuns: 8 }).map((profile) => ({
  bytes: Buffer.from(encodeProfile(profile)).toString("base64"),
  profile,
}));

const interaction = {
  eventId: "event-1",
  type: "purchase",
  productId: "product-1",
  time,
  recommendationId: null,
  location: place,
  facts: { cell: "world-1", lat: null, lon: null, category: "books", priceMinor: 990, currency: "EUR" },
  first: true,
  firstPurchase: true,
  previous: [{ productId: "product-0", cell: null, counts: true }],
};

console.log(
  JSON.stringify({
    profiles,
    interactions: interactionsMessage.parse({
      application: "shop",
      users: [
        {
          ...user,
          rows: [
            { kind: "interaction", seq: 1, interaction },
            {
              kind: "counts",
              seq: 2,
              counts: { experiment: "canary", arm: "control", exposures: 3, successes: 1 },
            },
            {
              kind: "correction",
              seq: 3,
              correction: { recommendationId: "list-1", productId: "product-1", outcome: "purchase", time },
            },
          ],
        },
      ],
    }),
    locations: locationsMessage.parse({
      application: "shop",
      ...user,
      rows: [{ seq: 1, ...place, time, precision: "approximate", version: 2 }],
    }),
    catalogue: catalogMessage.parse({ application: "shop", productIds: ["product-1"] }),
  }),
);
