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
 * What the steps of a recalibration hold: all else is collected before each look, which takes time, so times are the
 * section `recalibration`'s. A look falls between two turns of the event loop: it does not see what lives within one.
 */
export async function measureRecalibrationMemory(
  context: BenchContext,
  { url, workerd }: ServedCatalog,
): Promise<void> {
  const inspector = workerd?.inspectors.get("vicinity-trainer");
  if (inspector === undefined) {
    context.addNote("recalibration-memory: workerd was not found, so its memory cannot be seen");
    return;
  }
  const look = () => measureLiveMemory(inspector).catch(() => null);
  const before = await look();
  const most = new Map<string, IsolateMemory>(before && [["before it", before]]);
  let looks = 0;
  let record = await startRecalibration(url);
  let used: IsolateMemory | null = null;
  for await (const next of pollRecalibration(url, record, context)) {
    const kind = stepKind(next);
    if (kind !== stepKind(record)) context.log(next.step);
    else if (used !== null) {
      looks++;
      const known = most.get(kind);
      if (!known || totalMegabytes(used) > totalMegabytes(known)) most.set(kind, used);
    }
    record = next;
    used = await look();
  }
  context.addNote(`recalibration-memory: ${recalibrationText(record, context)}, ${looks} looks`);
  for (const [kind, memory] of most)
    context.figures.push({
      section: "recalibration-memory",
      name: `most that is alive in the trainer, ${kind}`,
      unit: "MB",
      ...singleMeasurement(totalMegabytes(memory)),
      baseline: { label: "of it buffers", value: memory.buffers },
      limit: { label: "an isolate may have", value: isolateMegabytes.allowed },
    });
}
