// A worker for the benchmark: it runs the model as the recommendation worker does, and nothing else. It is JavaScript,
// since bench/ belongs to the TypeScript project of Node, and this file runs in workerd.
import { featureShape } from "../../../model/features/compute-features.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import { bundledModel } from "../../../workers/recommendation/ranker/isolate-models.ts";

/** Largest accepted value of each query parameter. */
const max = { candidates: 1000, runs: 1000 };

/** `GET /?candidates=C&runs=R` runs the model R times on C candidates and returns the total milliseconds. */
export default {
  /** @param {Request} request */
  async fetch(request) {
    if (!bundledModel.ok) return new Response(bundledModel.error.detail, { status: 500 });
    const { searchParams } = new URL(request.url);
    const candidates = Number(searchParams.get("candidates") ?? 1);
    const runs = Number(searchParams.get("runs") ?? 1);
    if (!(candidates >= 1 && candidates <= max.candidates && runs >= 1 && runs <= max.runs))
      return new Response(`candidates must be from 1 to ${max.candidates}, runs from 1 to ${max.runs}`, {
        status: 400,
      });
    const batch = randomBatch(featureShape, candidates, 1);
    const started = performance.now();
    for (let run = 0; run < runs; run++) await bundledModel.value.score(batch);
    return Response.json({ ms: performance.now() - started });
  },
};
