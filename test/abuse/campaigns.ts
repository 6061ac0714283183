import { vi } from "vitest";
import type { EventInput, EventType } from "../../shared/contracts/event.ts";
import { type Requester, trustedRequester } from "../../shared/contracts/requester.ts";
import { productId, products } from "./honest-world.ts";
import type { Shop } from "./shop.ts";

/** An attack that wants to change the rank of a product. */
export interface Campaign {
  name: string;
  /** The product whose similar products the attack wants to change; undefined if it attacks no such list. */
  similarTo?: string;
  /** Whether the attack must add nothing to any total, so that no list of others can change. */
  addsNothing?: true;
  /** Whether the attack wants the product to lose its rank. */
  isDismissal?: true;
  attack(shop: Shop, target: string): Promise<void>;
}

const seconds = (): number => Date.now() / 1000;
const hourMs = 3_600_000;

/** A user of an anonymous session from a network. */
const strangerFrom = (network: string): Requester => ({
  ...{ ...trustedRequester, isVouched: false, network },
  tokenIssuedAt: seconds(),
});
/** A user whose token a server key issued. */
const tokenOfKnownUser = (): Requester => ({ ...trustedRequester, tokenIssuedAt: seconds() });

let count = 0;
const event = (userId: string, type: EventType, product: string, hoursAgo?: number): EventInput => ({
  ...{ eventId: `a${count++}`, userId, type, productId: product },
  ...(hoursAgo === undefined ? {} : { timestamp: new Date(Date.now() - hoursAgo * hourMs).toISOString() }),
});

/** Sends events of invented users in one request for each network. */
async function sendFrom(
  shop: Shop,
  networks: number,
  users: number,
  eventsOf: (userId: string, n: number) => EventInput[],
  prefix: string,
): Promise<void> {
  for (let network = 0; network < networks; network++) {
    const list: EventInput[] = [];
    for (let n = network; n < users; n += networks) list.push(...eventsOf(`${prefix}${n}`, n));
    await shop.send(list, strangerFrom(`${prefix}-net${network}`));
  }
}

/** Returns a view of some other product, so that an invented user has two, and an event of the target. */
const likeAVisitor =
  (target: string, type: EventType) =>
  (userId: string, n: number): EventInput[] => [
    event(userId, "view", productId(n % (products.length / 2))),
    event(userId, type, target),
  ];

/** Returns the campaigns against the lists of others; `users`: how many users each invents. */
export const campaigns = (users: number): readonly Campaign[] => [
  {
    name: `${users} invented users, one purchase each`,
    addsNothing: true,
    attack: (shop, target) =>
      sendFrom(shop, 4, users, (userId) => [event(userId, "purchase", target)], "single"),
  },
  {
    name: `${users} invented users of 4 networks, a view and a purchase`,
    attack: (shop, target) => sendFrom(shop, 4, users, likeAVisitor(target, "purchase"), "few"),
  },
  {
    name: `${users} invented users of ${users} networks, a view and a purchase`,
    attack: (shop, target) => sendFrom(shop, users, users, likeAVisitor(target, "purchase"), "many"),
  },
  {
    name: "one loud stranger, an event each hour of a week",
    addsNothing: true,
    attack: async (shop, target) => {
      for (let hour = 0; hour < 168; hour++) {
        vi.setSystemTime(Date.now() + hourMs);
        const type = hour % 2 === 0 ? "purchase" : "view";
        await shop.send([event("loud", type, target)], strangerFrom("loud-net"));
      }
    },
  },
  {
    name: "one loud known user, an event each hour of a week",
    attack: async (shop, target) => {
      for (let hour = 0; hour < 168; hour++) {
        vi.setSystemTime(Date.now() + hourMs);
        const type = hour % 2 === 0 ? "purchase" : "view";
        await shop.send([event("known", type, target)], tokenOfKnownUser());
      }
    },
  },
  {
    name: "100 slow users over a week, each of a network of their own",
    attack: async (shop, target) => {
      for (let day = 0; day < 7; day++) {
        vi.setSystemTime(Date.now() + 24 * hourMs);
        await sendFrom(
          shop,
          100,
          100,
          (userId, n) => [
            event(userId, "view", productId((n + day) % 30)),
            event(userId, "click", productId((n + 7 * day) % 30)),
            event(userId, day % 2 === 0 ? "view" : "purchase", target),
          ],
          "slow",
        );
      }
    },
  },
  {
    name: "80 dismissals by one known user's token, backdated",
    isDismissal: true,
    attack: async (shop, target) => {
      for (let hour = 0; hour < 80; hour++)
        await shop.send([event("critic", "dismiss", target, 2 * hour)], tokenOfKnownUser());
    },
  },
  {
    name: `dismissals by ${users} invented users`,
    isDismissal: true,
    attack: (shop, target) => sendFrom(shop, users, users, likeAVisitor(target, "dismiss"), "critics"),
  },
  {
    name: "250 backdated purchases by one known user's token",
    attack: async (shop, target) => {
      for (let i = 0; i < 250; i++)
        await shop.send([event("past", "purchase", target, (i * 167) / 250)], tokenOfKnownUser());
    },
  },
  {
    name: `${users} invented users choose one product after another`,
    similarTo: productId(0),
    attack: (shop, target) =>
      sendFrom(
        shop,
        users,
        users,
        (userId) => [event(userId, "view", productId(0)), event(userId, "purchase", target)],
        "pairs",
      ),
  },
];
