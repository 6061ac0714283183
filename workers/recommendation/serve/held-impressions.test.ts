import { beforeEach, describe, expect, it } from "vitest";
import { HeldImpressions } from "./held-impressions.ts";

let now = 0;
let timers: { at: number; ring: () => void }[] = [];
let sent: string[][] = [];
const send = async (list: string[]): Promise<void> => void sent.push(list);

/** Lets time pass, and what waits for it run. */
async function pass(ms: number): Promise<void> {
  now += ms;
  for (const { ring } of timers.filter(({ at }) => at <= now)) ring();
  timers = timers.filter(({ at }) => at > now);
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

const newHeld = () =>
  new HeldImpressions<string>({
    maxHeld: 4,
    now: () => now,
    wait: (ms) =>
      new Promise<void>((ring) => {
        timers.push({ at: now + ms, ring });
      }),
  });

describe("HeldImpressions", () => {
  beforeEach(() => {
    now = 0;
    timers = [];
    sent = [];
  });

  it("sends the impressions of one user together, and those of another apart", async () => {
    const held = newHeld();
    const first = held.hold("ann", "a1", 200, send);
    await pass(100);
    await held.hold("ann", "a2", 200, send);
    void held.hold("bob", "b1", 200, send);
    await pass(99);
    expect(sent).toEqual([]);
    await pass(1);
    await first;
    expect(sent).toEqual([["a1", "a2"]]);
    await pass(100);
    expect(sent).toEqual([["a1", "a2"], ["b1"]]);
  });

  it("sends many impressions before the delay is over, each once", async () => {
    const held = newHeld();
    for (const each of ["a1", "a2", "a3", "a4", "a5"]) void held.hold("ann", each, 200, send);
    expect(sent).toEqual([["a1", "a2", "a3", "a4"]]);
    await pass(200);
    expect(sent).toEqual([["a1", "a2", "a3", "a4"], ["a5"]]);
  });

  it("leaves what was taken to the one who took it", async () => {
    const held = newHeld();
    void held.hold("ann", "a1", 200, send);
    expect(held.take("ann")).toEqual(["a1"]);
    expect(held.take("ann")).toEqual([]);
    await pass(100);
    void held.hold("ann", "a2", 200, send);
    await pass(100);
    expect(sent).toEqual([]);
    await pass(100);
    expect(sent).toEqual([["a2"]]);
  });

  it("sends at once without a delay", async () => {
    await newHeld().hold("ann", "a1", 0, send);
    expect([sent, timers]).toEqual([[["a1"]], []]);
  });

  it("sends what a call left that ended early", async () => {
    const held = newHeld();
    void held.hold("ann", "a1", 200, send);
    timers = [];
    await pass(2001);
    void held.hold("ann", "a2", 200, send);
    await pass(200);
    expect(sent).toEqual([["a1", "a2"]]);
  });
});
