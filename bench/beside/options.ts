import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { isLocalUrl } from "../load/closed-loop.ts";
import { type MeasurementGroup, measurementGroupNames } from "./measurements.ts";

/** One side of the comparison. */
export interface SideOptions {
  url: string;
  /** First process of the server; null: found by the port on which it listens. */
  pid: number | null;
  /** Shell command that starts the server; null if it runs already. */
  start: string | null;
}

/** Options of `npm run bench:beside`. */
export interface ComparisonOptions {
  /** Name of the adapter of the peer. */
  peerKind: string;
  peer: SideOptions;
  vicinity: SideOptions;
  rounds: number;
  /** Seconds of each load. */
  seconds: number;
  /** Seconds of each load that does not count, before the first round. */
  warmUp: number;
  /** Seconds at most that are waited after each load until its server has no more work. */
  maxWorkAfter: number;
  /** Items of each list. */
  items: number;
  /** Products that Vicinity's model ranks for a list. */
  candidates: number;
  groups: MeasurementGroup[];
  /** Processes that use a core each beside the servers. */
  busy: number;
  /** Whether the processor time is measured while nothing is asked. */
  idle: boolean;
  /** Restarts by which the time until a server answers again is measured. */
  restarts: number;
  /** File for the figures as JSON; null for none. */
  json: string | null;
}

export const usage = `Usage: npm run bench:beside -- --peer gorse=URL [--vicinity URL] [--rounds N] [--seconds S] [--warm-up S] [--work-after S] [--items N] [--candidates N] [--only ${measurementGroupNames.join(",")}] [--busy N] [--idle] [--peer-pid PID] [--vicinity-pid PID] [--peer-start COMMAND] [--vicinity-start COMMAND] [--restarts N] [--json FILE]`;

/** Returns an option as a whole number within bounds. Throws if it is none. */
function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max)
    throw new Error(`--${name} must be a whole number from ${min} to ${max}; got "${text}".`);
  return value;
}

/** Returns the URL of a server on this machine, without a slash at its end. Throws for any other. */
function localUrl(name: string, text: string): string {
  if (!isLocalUrl(text))
    throw new Error(
      `--${name} must be a server of this machine, for example http://127.0.0.1:8787; got "${text}". The load is sent nowhere else.`,
    );
  return text.replace(/\/+$/, "");
}

function parseGroups(text: string | undefined): MeasurementGroup[] {
  if (text === undefined) return [...measurementGroupNames];
  const wanted = text.split(",");
  const unknown = wanted.find((name) => !measurementGroupNames.some((group) => group === name));
  if (unknown !== undefined)
    throw new Error(
      `--only names the unknown group "${unknown}"; there are ${measurementGroupNames.join(", ")}.`,
    );
  return measurementGroupNames.filter((name) => wanted.includes(name));
}

/** Returns the kind and the URL of `--peer KIND=URL`. Throws if the text is not of that form or the kind is unknown. */
function parsePeer(text: string | undefined, kinds: readonly string[]): { kind: string; url: string } {
  const [, kind, url] = /^([a-z]+)=(.+)$/.exec(text ?? "") ?? [];
  if (kind === undefined || url === undefined || !kinds.includes(kind))
    throw new Error(`--peer must be KIND=URL with a KIND of ${kinds.join(", ")}; got "${text ?? ""}".`);
  return { kind, url: localUrl("peer", url) };
}

const maxPid = 4_194_304;

/** Parses the arguments. `kinds` are the adapters of peers. Throws with a reason if an option is wrong. */
export function parseComparisonOptions(args: string[], kinds: readonly string[]): ComparisonOptions {
  const { values } = parseArgs({
    args,
    options: {
      peer: { type: "string" },
      vicinity: { type: "string", default: "http://127.0.0.1:8787" },
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "4" },
      "warm-up": { type: "string", default: "3" },
      "work-after": { type: "string", default: "10" },
      items: { type: "string", default: "10" },
      candidates: { type: "string", default: "500" },
      only: { type: "string" },
      busy: { type: "string", default: "0" },
      idle: { type: "boolean", default: false },
      "peer-pid": { type: "string" },
      "vicinity-pid": { type: "string" },
      "peer-start": { type: "string" },
      "vicinity-start": { type: "string" },
      restarts: { type: "string", default: "0" },
      json: { type: "string" },
    },
  });
  const { kind, url } = parsePeer(values.peer, kinds);
  const pidOf = (side: "peer" | "vicinity"): number | null => {
    const text = values[`${side}-pid`];
    return text === undefined ? null : wholeNumber(`${side}-pid`, text, 2, maxPid);
  };
  const restarts = wholeNumber("restarts", values.restarts, 0, 10);
  if (restarts > 0 && (values["peer-start"] === undefined || values["vicinity-start"] === undefined))
    throw new Error(
      "--restarts needs --peer-start and --vicinity-start: only a server that this bench started is killed.",
    );
  return {
    peerKind: kind,
    peer: { url, pid: pidOf("peer"), start: values["peer-start"] ?? null },
    vicinity: {
      url: localUrl("vicinity", values.vicinity),
      pid: pidOf("vicinity"),
      start: values["vicinity-start"] ?? null,
    },
    rounds: wholeNumber("rounds", values.rounds, 1, 30),
    seconds: wholeNumber("seconds", values.seconds, 1, 60),
    warmUp: wholeNumber("warm-up", values["warm-up"], 0, 60),
    maxWorkAfter: wholeNumber("work-after", values["work-after"], 0, 60),
    items: wholeNumber("items", values.items, 1, 100),
    candidates: wholeNumber("candidates", values.candidates, 20, 500),
    groups: parseGroups(values.only),
    busy: wholeNumber("busy", values.busy, 0, 8),
    idle: values.idle,
    restarts,
    json: values.json === undefined ? null : resolve(values.json),
  };
}
