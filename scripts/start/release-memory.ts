import { listDescendants } from "../processes/list-processes.ts";
import { processorSeconds } from "../processes/processor-seconds.ts";
import { waitUntilIdle } from "../processes/wait-until-idle.ts";
import { ProgressLine } from "../terminal/progress-line.ts";

/** Seconds that the workers get to deliver what the import has queued. Rows left over are sent again by themselves. */
const maxDeliverySeconds = 60;

/**
 * Frees the memory of an import, which is twice that of serving, by a restart of the runtime: its allocator keeps what it
 * once had.
 */
export async function releaseMemory(restart: () => Promise<void>): Promise<void> {
  const releasing = new ProgressLine("Restart the workers, which frees the memory of the import");
  const runtime = listDescendants(process.pid).find(({ name }) => name === "workerd");
  if (runtime) await waitUntilIdle(() => processorSeconds(runtime.pid), maxDeliverySeconds);
  await restart();
  releasing.done();
}
