import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { developmentKey } from "../../scripts/start/serve.ts";
import {
  type RecalibrationRecord,
  recalibration as recalibrationRecord,
} from "../../shared/contracts/recalibration.ts";
import type { BenchContext } from "../context.ts";

/** How often it is asked where a recalibration is, in ms. */
const pollIntervalMs = 40;

/** `collect 3 of 20` is of the kind `collect`. */
export const stepKind = ({ step }: RecalibrationRecord): string => step.split(" ")[0];

/** Whether a recalibration has not yet ended. */
export const isUnfinished = ({ status }: RecalibrationRecord): boolean =>
  status === "queued" || status === "running";

async function call(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${developmentKey}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Asks for a recalibration. */
export const startRecalibration = async (url: string): Promise<RecalibrationRecord> =>
  recalibrationRecord.parse(await call(url, "POST", "/v1/recalibrations", {}));

/** Where a recalibration is, again and again, the last time when it has ended. */
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
    // A candidate in the shadow would cost later figures of this state.
    if (record.version !== null)
      await call(url, "POST", `/v1/models/${record.version}/rollback`).catch((error: unknown) =>
        context.addNote(`recalibration: its candidate was not taken back: ${error}`),
      );
    return;
  }
}

/** A recalibration that has ended, in one line. */
export function recalibrationText(
  { status, reasons, figures }: RecalibrationRecord,
  { options: { examples, rows } }: BenchContext,
): string {
  const { lists } = z.object({ lists: z.number().default(0) }).parse(figures);
  return `log of ${examples.toLocaleString("en")} examples of ${rows} rows, ${lists.toLocaleString("en")} lists learnt from, ended ${[status, ...reasons].join("; ")}`;
}
