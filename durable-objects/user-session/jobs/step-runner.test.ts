import { expect, it } from "vitest";
import { maxPagesPerRun } from "./scan-limits.ts";
import { StepRunner } from "./step-runner.ts";

it("runs due steps one after the other, until none is due or the time is over", async () => {
  const waiting = ["a", "b", "c"];
  const ran: string[] = [];
  const runner = new StepRunner<string>(
    () => waiting[0] ?? null,
    async (step) => {
      ran.push(step);
      waiting.shift();
      return false;
    },
  );
  await runner.advance(0);
  expect(ran).toEqual(["a"]);
  await runner.advance(Number.POSITIVE_INFINITY);
  expect(ran).toEqual(["a", "b", "c"]);
});

it("leaves pages above a maximum to the next call", async () => {
  let pages = 0;
  const runner = new StepRunner<string>(
    () => "a",
    async () => {
      pages++;
      return true;
    },
  );
  await runner.advance(Number.POSITIVE_INFINITY);
  expect(pages).toBe(maxPagesPerRun);
});

it("lets a second call wait for the run of the first", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let runs = 0;
  const runner = new StepRunner<string>(
    () => (runs === 0 ? "a" : null),
    async () => {
      runs++;
      await promise;
      return false;
    },
  );
  const calls = [runner.advance(Number.POSITIVE_INFINITY), runner.advance(Number.POSITIVE_INFINITY)];
  resolve();
  await Promise.all(calls);
  expect(runs).toBe(1);
});
