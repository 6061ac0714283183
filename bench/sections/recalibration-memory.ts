import type { BenchContext } from "../context.ts";
import { singleMeasurement } from "../figure.ts";
import {
  type IsolateMemory,
  isolateMegabytes,
  measureLiveMemory,
  totalMegabytes,
} from "../workers/inspector.ts";
import {
  pollRecalibration,
  recalibrationText,
  startRecalibration,
  stepKind,
} from "../workers/recalibrations.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";

/**
 * Measures the trainer's live memory during each step of a recalibration. Each sample collects garbage first, which
 * slows the steps down; the section `recalibration` measures times. A sample runs between two turns of the event loop,
 * so it misses objects that live within one turn.
 */
export async function measureRecalibrationMemory(
  context: BenchContext,
  { url, workerd }: ServedCatalog,
): Promise<void> {
  const inspector = workerd?.inspectors.get("vicinity-trainer");
  if (inspector === undefined) {
    context.addNote(
      "recalibration-memory: skipped, since workerd was not found and its memory cannot be read",
    );
    return;
  }
  const sample = () => measureLiveMemory(inspector).catch(() => null);
  const before = await sample();
  const maxByKind = new Map<string, IsolateMemory>(before && [["before the recalibration", before]]);
  let sampleCount = 0;
  let record = await startRecalibration(url);
  let used: IsolateMemory | null = null;
  for await (const next of pollRecalibration(url, record, context)) {
    const kind = stepKind(next);
    if (kind !== stepKind(record)) context.log(next.step);
    else if (used !== null) {
      sampleCount++;
      const max = maxByKind.get(kind);
      if (!max || totalMegabytes(used) > totalMegabytes(max)) maxByKind.set(kind, used);
    }
    record = next;
    used = await sample();
  }
  context.addNote(`recalibration-memory: ${recalibrationText(record, context)}, ${sampleCount} samples`);
  for (const [kind, memory] of maxByKind)
    context.figures.push({
      section: "recalibration-memory",
      name: `maximum live memory of the trainer, ${kind}`,
      unit: "MB",
      ...singleMeasurement(totalMegabytes(memory)),
      baseline: { label: "buffers alone", value: memory.buffers },
      limit: { label: "allowed for an isolate", value: isolateMegabytes.limit },
    });
}
