import type { LoadFigures } from "../load/measure-load.ts";
import type { LoadRequest } from "../load/requests.ts";
import type { Recommender } from "./recommender.ts";
import type { RequestSources } from "./request-sources.ts";

/**
 * Requests, and events, of one load at most, beside the limit of time. Both sides shall hold about as many events after
 * some rounds, since some recommenders read all events of a user for a list.
 */
const max = { requests: 100_000, events: 2000 };

/** Returns how many requests a load sends at most. */
export const maxPerLoad = ({ events: count }: Pick<Measurement, "events">): number =>
  count === 0 ? max.requests : Math.ceil(max.events / count);

/** One figure of a measurement. */
export interface FigureDefinition {
  name: string;
  unit: string;
  of(figures: LoadFigures): number;
}

/** Events of a request with many users. */
export const eventsPerRequest = 20;

/** A load that is run on both sides in each round. */
export interface Measurement {
  name: string;
  connections: number;
  /** Events of a request; 0 for a request that stores none. */
  events: number;
  /** Returns request number `n` of a round for a recommender. */
  request(recommender: Recommender, sources: RequestSources, n: number): LoadRequest;
  figures: FigureDefinition[];
}

const p50: FigureDefinition = { name: "p50", unit: "ms", of: ({ times }) => times.p50 };
const p99: FigureDefinition = { name: "p99", unit: "ms", of: ({ times }) => times.p99 };
const answers: FigureDefinition = { name: "answers", unit: "per s", of: ({ rate }) => rate };
const processor: FigureDefinition = {
  name: "processor time for 1,000 answers",
  unit: "s",
  // A millisecond an answer is a second for a thousand.
  of: ({ processorMs }) => processorMs,
};

const eventFigures = (count: number): FigureDefinition[] => [
  { name: "events", unit: "per s", of: ({ rate }) => rate * count },
  { ...p50, name: "p50 of a request" },
  {
    name: "processor time for 1,000 events",
    unit: "s",
    of: ({ processorMs }) => processorMs / count,
  },
  { name: "work after the last answer", unit: "s", of: ({ workAfter }) => workAfter },
];

const list = (connections: number): Measurement => ({
  name: `recommendation, ${connectionText(connections)}`,
  connections,
  events: 0,
  request(recommender, { visits, items }, n) {
    const { userId, point } = visits[n % visits.length];
    return recommender.list({ userId, point, items });
  },
  figures: [p50, p99, answers, processor],
});

const events = (where: "world" | "city", connections: number): Measurement => ({
  name: `${eventsPerRequest} events, ${where === "world" ? "all over the world" : "one city"}, ${connectionText(connections)}`,
  connections,
  events: eventsPerRequest,
  request: (recommender, sources) => recommender.events(sources[where].take(eventsPerRequest, sources.now())),
  figures: eventFigures(eventsPerRequest),
});

const connectionText = (connections: number): string =>
  connections === 1 ? "1 connection" : `${connections} connections`;

/** All measurements by the name of their group, in the order in which a round runs them. */
export const measurementGroups = {
  health: [
    {
      name: "empty health request, 1 connection",
      connections: 1,
      events: 0,
      request: (recommender) => recommender.health(),
      figures: [p50, p99, answers, processor],
    },
  ],
  lists: [list(1), list(16)],
  single: [
    {
      name: "one event after the other",
      connections: 1,
      events: 1,
      request: (recommender, { world, now }) => recommender.events(world.take(1, now())),
      figures: eventFigures(1),
    },
  ],
  world: [events("world", 1), events("world", 16)],
  city: [events("city", 1), events("city", 16)],
} satisfies Record<string, Measurement[]>;

export type MeasurementGroup = keyof typeof measurementGroups;
export const measurementGroupNames = Object.keys(measurementGroups) as MeasurementGroup[];
