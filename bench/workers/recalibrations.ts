import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { developmentKey } from "../../scripts/start/development-key.ts";
import {
  type RecalibrationRecord,
  recalibration as recalibrationRecord,
} from "../../shared/contracts/recalibration.ts";
import type { BenchContext } from "../context.ts";

/** Milliseconds between two requests for the state of a recalibration. */
const pollIntervalMs = 40;

/** Returns the kind of the current step: `train` for `train 3 of 20`. */
export const stepKind = ({ step }: RecalibrationRecord): string => step.split(" ")[0];

/** Returns whether a recalibration is queued or running. */
export const isUnfinished = ({ status }: RecalibrationRecord): boolean =>
  status === "queued" || status === "running";

/** Sends a request as the local admin, and returns the JSON of the response. */
async function call(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${developmentKey}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Starts a recalibration and returns its record. */
export const startRecalibration = async (url: string): Promise<RecalibrationRecord> =>
  recalibrationRecord.parse(await call(url, "POST", "/v1/recalibrations", {}));

/** Polls a recalibration until it has ended, and yields each record. Rolls its candidate model back at the end. */
export async function* pollRecalibration(
  url: string,
  { id }: RecalibrationRecord,
  context: BenchContext,
): AsyncGenerator<RecalibrationRecord, void> {
  for (;;) {
    await sleep(pollIntervalMs);
    const record = recalibrationRecord.parse(await call(url, "GET", `/v1/recalibrations/${id}`));
    yield record;
    if (isUnfinished(record)) continue;
    // A candidate that stays in shadow traffic would slow down later measurements with this state directory.
    if (record.version !== null)
      await call(url, "POST", `/v1/models/${record.version}/rollback`).catch((error: unknown) =>
        context.addNote(`recalibration: rolling back the candidate model failed: ${error}`),
      );
    return;
  }
}

/** Describes an ended recalibration in one line. */
export function recalibrationText(
  { status, reasons, figures }: RecalibrationRecord,
  { options: { examples, rows } }: BenchContext,
): string {
  const { lists } = z.object({ lists: z.number().default(0) }).parse(figures);
  return `log of ${examples.toLocaleString("en")} examples with ${rows} rows each, trained on ${lists.toLocaleString("en")} lists, ended as ${[status, ...reasons].join("; ")}`;
}
