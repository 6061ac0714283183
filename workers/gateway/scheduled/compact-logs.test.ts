import { expect, it } from "vitest";
import { ok, refuse } from "../../../shared/contracts/result.ts";
import type { LogsCompaction } from "../../../shared/services/trainer-api.ts";
import { compactLogs } from "./compact-logs.ts";

const compaction = (hasMore: boolean): LogsCompaction => ({
  ...{ steps: 1, batches: 0, segments: 0, damaged: 0, failed: 0, hasMore },
});

it("asks the trainer again while more is due, less often than the platform allows", async () => {
  let calls = 0;
  const trainer = { compactLogs: async () => ok(compaction(++calls < 3)) };
  expect(await compactLogs(trainer)).toEqual(ok(compaction(false)));
  expect(calls).toBe(3);
  let endless = 0;
  await compactLogs({ compactLogs: async () => ok(compaction(++endless > 0)) });
  expect(endless).toBeLessThan(16);
});

it("stops at a refusal, and returns it", async () => {
  const refusal = refuse("unavailable", "no bucket");
  expect(await compactLogs({ compactLogs: async () => refusal })).toEqual(refusal);
});
