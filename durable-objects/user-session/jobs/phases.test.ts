import { expect, it } from "vitest";
import { phaseAfter, storeProgress } from "./phases.ts";

const phases = ["copy", "remove", "finished"] as const;
const firstPhaseAfter = { copies: "remove", originals: "finished", receipts: "finished" } as const;
const stores = ["copies", "originals", "receipts"] as const;

it("returns the phase after another one", () => {
  expect(phaseAfter(phases, "copy")).toBe("remove");
});

it("marks the first store that is not done as running, and those after it as waiting", () => {
  const statuses = (phase: (typeof phases)[number]) =>
    storeProgress(stores, firstPhaseAfter, phases, phase).map(({ status }) => status);
  expect(statuses("copy")).toEqual(["running", "waiting", "waiting"]);
  expect(statuses("remove")).toEqual(["done", "running", "waiting"]);
  expect(statuses("finished")).toEqual(["done", "done", "done"]);
});
