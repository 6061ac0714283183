import type { PipelineAnswer } from "../../../model/pipeline/run-pipeline.ts";
import type { AnswerLocation } from "../../../shared/contracts/location.ts";
import type { RecommendationLocation } from "./resolve-location.ts";

/** Returns the location part of the answer, and why its names are missing. */
export function answerLocationOf(
  { source, precision }: RecommendationLocation,
  place: PipelineAnswer["place"],
): { location: AnswerLocation; namesSkipped?: string } {
  const names = place && !("skipped" in place) ? place : { city: null, country: null };
  return {
    location: { city: names.city, country: names.country, precision, source },
    ...(place && "skipped" in place ? { namesSkipped: place.skipped } : {}),
  };
}
