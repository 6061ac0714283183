import { decay, halved } from "../../../shared/geo/decay.ts";
import { fastLog1p } from "../../../shared/math/fast-log.ts";
import { localHourOf, localWeekdayOf } from "../../../shared/time/local-clock.ts";
import { daySeconds, hourSeconds } from "../../../shared/time/seconds.ts";
import { columnWidth, countOffset, wholeShare } from "../../columns/layout.ts";
import type { FeatureFamily } from "./feature-family.ts";

const hoursWidth = columnWidth.hours;
const weekdaysWidth = columnWidth.weekdays;
const countsWidth = columnWidth.counts;
const peopleOffset = countOffset.people;

/** Features of the user's own rhythm, which come first. */
const ownFeatures = 9;
/** Smoothing of the user's shares by hour and weekday, in choices. */
const choicePrior = 1;
/** People after which the product's own hours and weekdays count half. */
const peoplePrior = 3;
/** Half-life of `own_hour_recent_mass`, in days. */
const recentHalfLifeDays = 21;

/** Bandwidth of the Gaussian kernels. */
const bandwidthHours = 1.5;
const bandwidthSeconds = bandwidthHours * hourSeconds;

/** Proximity of two hours of the day, by the hours between them on the circle: 1 for the same hour. */
const kernel = Float64Array.from({ length: 24 }, (_, hours) => {
  const apart = Math.min(hours, 24 - hours);
  return Math.exp((-apart * apart) / (2 * bandwidthHours * bandwidthHours));
});
/** For each hour of the day, the proximity of each other hour, and their sum. */
const nearTo = Array.from({ length: 24 }, (_, hour) =>
  Float64Array.from({ length: 24 }, (_, other) => kernel[Math.abs(other - hour)]),
);
const norms = nearTo.map((near) => near.reduce((sum, each) => sum + each, 0));

/** Returns the proximity of two times, by the seconds between them. */
const timeKernel = (seconds: number): number =>
  decay((seconds * seconds) / (2 * bandwidthSeconds * bandwidthSeconds));

/**
 * Match of the moment with the user's rhythm for the product, and with the product's own rhythm:
 * - kernel density of the user's choices over the hours of the day (Gaussian, 1.5 h), their share on this weekday, and
 *   both together;
 * - the user's choices today, and at this time a day or a week ago (Gaussian, 1.5 h);
 * - the product's shares at this hour and weekday against uniform ones.
 *
 * Human visits are regular by hour and weekday (Song et al., "Limits of Predictability in Human Mobility", Science 327,
 * 2010).
 */
export const rhythmFeatures: FeatureFamily = {
  names: [
    "own_hour_mass",
    "own_hour_share",
    "own_weekday_share",
    "own_hour_weekday_mass",
    "own_hour_daytype_mass",
    "own_hour_recent_mass",
    "own_today",
    "own_day_ago",
    "own_week_ago",
    "product_hour",
    "product_weekday",
  ],
  fill({ context, block }, row, _trace, out, at) {
    const stats = context.products.get(block, row);
    const weekend = context.weekday >= 5;
    if (stats && stats.times.length > 0) {
      let mass = 0;
      let sameWeekday = 0;
      let both = 0;
      let dayType = 0;
      let recent = 0;
      let today = 0;
      let dayAgo = 0;
      let weekAgo = 0;
      const midnight = context.localNow - (context.localNow % daySeconds);
      for (const time of stats.times) {
        const near = kernel[Math.abs(localHourOf(time) - context.hour)];
        const weekday = localWeekdayOf(time);
        mass += near;
        if (weekday === context.weekday) {
          sameWeekday++;
          both += near;
        }
        if (weekday >= 5 === weekend) dayType += near;
        const age = context.localNow - time;
        recent += near * halved(Math.max(0, age) / daySeconds / recentHalfLifeDays);
        if (time >= midnight && time < midnight + daySeconds) today++;
        dayAgo += timeKernel(age - daySeconds);
        weekAgo += timeKernel(age - 7 * daySeconds);
      }
      const n = stats.times.length;
      // The profile keeps the times of the newest choices only: scale masses up to all choices.
      const scale = stats.choices / n;
      out[at] = fastLog1p(mass * scale);
      out[at + 1] = mass / (n + choicePrior);
      out[at + 2] = sameWeekday / (n + choicePrior);
      out[at + 3] = fastLog1p(both * scale);
      out[at + 4] = fastLog1p(dayType * scale);
      out[at + 5] = fastLog1p(recent);
      out[at + 6] = fastLog1p(today);
      out[at + 7] = dayAgo;
      out[at + 8] = weekAgo;
    } else for (let i = 0; i < ownFeatures; i++) out[at + i] = 0;
    const people = block.counts[row * countsWidth + peopleOffset];
    if (people === 0) {
      out[at + 9] = 0;
      out[at + 10] = 0;
      return;
    }
    let hours = 0;
    let all = 0;
    const near = nearTo[context.hour];
    const shares = block.hours;
    for (let hour = 0, i = row * hoursWidth; hour < hoursWidth; hour++, i++) {
      const share = shares[i];
      hours += near[hour] * share;
      all += share;
    }
    // Hours may be unknown although people are known: then these features are 0.
    const trust = all > 0 ? people / (people + peoplePrior) : 0;
    out[at + 9] = trust * (((hours / norms[context.hour]) * hoursWidth) / wholeShare - 1);
    const weekday = block.weekdays[row * weekdaysWidth + context.weekday];
    out[at + 10] = trust * ((weekday * weekdaysWidth) / wholeShare - 1);
  },
};
