import type { BenchContext } from "../context.ts";
import { summaryOfOne } from "../figure.ts";
import { isolateMegabytes, liveMemoryOf, type Memory, sumOf } from "../workers/inspector.ts";
import { followed, kindOf, recalibrationAt, told } from "../workers/recalibrations.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";

/**
 * What the steps of a recalibration hold: all else is collected before each look, which takes time, so times are the
 * section `recalibration`'s. A look falls between two turns of the event loop: it does not see what lives within one.
 */
export async function recalibrationMemory(
  context: BenchContext,
  { url, workerd }: ServedCatalog,
): Promise<void> {
  const inspector = workerd?.inspectors.get("vicinity-trainer");
  if (inspector === undefined) {
    context.note("recalibration-memory: workerd was not found, so its memory cannot be seen");
    return;
  }
  const look = () => liveMemoryOf(inspector).catch(() => null);
  const before = await look();
  const most = new Map<string, Memory>(before && [["before it", before]]);
  let looks = 0;
  let record = await recalibrationAt(url);
  let used: Memory | null = null;
  for await (const next of followed(url, record, context)) {
    const kind = kindOf(next);
    if (kind !== kindOf(record)) context.say(next.step);
    else if (used !== null) {
      looks++;
      const known = most.get(kind);
      if (!known || sumOf(used) > sumOf(known)) most.set(kind, used);
    }
    record = next;
    used = await look();
  }
  context.note(`recalibration-memory: ${told(record, context)}, ${looks} looks`);
  for (const [kind, memory] of most)
    context.figures.push({
      section: "recalibration-memory",
      name: `most that is alive in the trainer, ${kind}`,
      unit: "MB",
      ...summaryOfOne(sumOf(memory)),
      baseline: { what: "of it buffers", value: memory.buffers },
      limit: { what: "an isolate may have", value: isolateMegabytes.allowed },
    });
}
