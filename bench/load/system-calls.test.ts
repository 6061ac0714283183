import { describe, expect, it } from "vitest";
import { parseCallCounts } from "./system-calls.ts";

describe("parseCallCounts", () => {
  it("reads the calls of a table, with and without errors", () => {
    const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 73.39    0.196456         152      1290           openat
 26.57    0.067731          14      4747           pwrite64
  0.04    0.000015           2         6         6 unlink
------ ----------- ----------- --------- --------- ----------------
100.00    0.264202          43      6043         6 total
`;
    expect(parseCallCounts(table)).toEqual({
      fsync: 0,
      fdatasync: 0,
      pwrite64: 4747,
      openat: 1290,
      unlink: 6,
    });
  });
});
