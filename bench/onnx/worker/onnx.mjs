// A worker of the benchmark alone: the model as the recommendation worker runs it, and nothing else. JavaScript, since
// bench/ belongs to Node's TypeScript project and this runs in workerd.
import { featureShape } from "../../../model/features/compute-features.ts";
import { randomBatch } from "../../../model/onnx/manifest.ts";
import { bundledModel } from "../../../workers/recommendation/ranker/isolate-models.ts";

/** Bounds on what one request may ask. */
const most = { candidates: 1000, runs: 1000 };

/** `GET /?candidates=C&runs=R` runs the model R times on C candidates and answers the milliseconds that all of them took. */
export default {
  /** @param {Request} request */
  async fetch(request) {
    if (!bundledModel.ok) return new Response(bundledModel.error.detail, { status: 500 });
    const { searchParams } = new URL(request.url);
    const candidates = Number(searchParams.get("candidates") ?? 1);
    const runs = Number(searchParams.get("runs") ?? 1);
    if (!(candidates >= 1 && candidates <= most.candidates && runs >= 1 && runs <= most.runs))
      return new Response("out of bounds", { status: 400 });
    const batch = randomBatch(featureShape, candidates, 1);
    const started = performance.now();
    for (let run = 0; run < runs; run++) await bundledModel.value.score(batch);
    return Response.json({ ms: performance.now() - started });
  },
};
