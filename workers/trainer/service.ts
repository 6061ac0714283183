import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import { applicationName } from "../shared/contracts/primitives.ts";
import { ok, parse, type Result } from "../shared/contracts/result.ts";
import type { Readiness, TrainerApi } from "../shared/contracts/services.ts";
import { logPrefix } from "../shared/training-log/keys.ts";
import { type Snapshot, snapshot } from "./snapshot.ts";

/** Looks into the training log, from which recalibration will learn. */
export class TrainerService extends WorkerEntrypoint<TrainerEnv> implements TrainerApi {
  async snapshot(application: string, day: string): Promise<Result<Snapshot>> {
    const parsed = parse(z.object({ application: applicationName, day: z.iso.date() }), { application, day });
    if (!parsed.ok) return parsed;
    return ok(
      await snapshot(this.env.TRAINING_LOG, logPrefix(application, day), async (people) => {
        const tombstones = await this.env.USER.tombstones(application, people);
        if (!tombstones.ok) throw new Error(`the records refused: ${tombstones.error.detail}`);
        return new Map(tombstones.value.map(({ object, epoch }) => [object, epoch]));
      }),
    );
  }

  async ready(): Promise<Readiness> {
    return { ready: true, detail: "ready" };
  }
}
