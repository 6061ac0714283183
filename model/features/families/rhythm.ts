import { localHourOf, localWeekdayOf } from "../../../shared/time/local-clock.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Kernel over the circle of hours: how near two hours of the day are, 1 for the same. */
const kernel = Float64Array.from({ length: 24 }, (_, hours) => {
  const apart = Math.min(hours, 24 - hours);
  return Math.exp((-apart * apart) / (2 * 1.5 * 1.5));
});
/** Nearness of each hour of the day to a given one, and their sum. */
const nearTo = Array.from({ length: 24 }, (_, hour) =>
  Float64Array.from({ length: 24 }, (_, other) => kernel[Math.abs(other - hour)]),
);
const norms = nearTo.map((near) => near.reduce((sum, each) => sum + each, 0));
const daySeconds = 86_400;

/** How near a time is to the one looked for: Gaussian of 1.5 hours. */
const around = (seconds: number): number => Math.exp(-(seconds * seconds) / (2 * 5400 * 5400));

/**
 * Match of the moment with the person's rhythm for the product, and with the product's own: kernel density over
 * hours of the day (Gaussian, 1.5 h), share of the weekday, both together, and the product's shares by hour and
 * weekday against uniform; and whether they chose it earlier today, or at this time a day or a week ago (Gaussian,
 * 1.5 h). Human visits are regular by hour and weekday (Song et al., "Limits of Predictability
 * in Human Mobility", Science 327, 2010).
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
  fill(context, block, row, _trace, out, at) {
    const memory = context.products.get(block.idHash[row]);
    const weekend = context.weekday >= 5;
    if (memory && memory.times.length > 0) {
      let mass = 0;
      let sameWeekday = 0;
      let both = 0;
      let dayType = 0;
      let recent = 0;
      let today = 0;
      let dayAgo = 0;
      let weekAgo = 0;
      const midnight = context.localNow - (context.localNow % daySeconds);
      for (const time of memory.times) {
        const near = kernel[Math.abs(localHourOf(time) - context.hour)];
        const weekday = localWeekdayOf(time);
        mass += near;
        if (weekday === context.weekday) {
          sameWeekday++;
          both += near;
        }
        if (weekday >= 5 === weekend) dayType += near;
        const age = context.localNow - time;
        recent += near * 2 ** (-Math.max(0, age) / daySeconds / 21);
        if (time >= midnight && time < midnight + daySeconds) today++;
        dayAgo += around(age - daySeconds);
        weekAgo += around(age - 7 * daySeconds);
      }
      const n = memory.times.length;
      // Times are the newest of possibly many more choices: masses are scaled up to all.
      const scale = memory.choices / n;
      out[at] = Math.log1p(mass * scale);
      out[at + 1] = mass / (n + 1);
      out[at + 2] = sameWeekday / (n + 1);
      out[at + 3] = Math.log1p(both * scale);
      out[at + 4] = Math.log1p(dayType * scale);
      out[at + 5] = Math.log1p(recent);
      out[at + 6] = Math.log1p(today);
      out[at + 7] = dayAgo;
      out[at + 8] = weekAgo;
    } else out.fill(0, at, at + 9);
    let hours = 0;
    let all = 0;
    const near = nearTo[context.hour];
    for (let hour = 0; hour < 24; hour++) {
      const share = block.hours[row * 24 + hour];
      hours += near[hour] * share;
      all += share;
    }
    const people = block.counts[row * 6 + 5];
    // Hours may be unknown though people are: then they say nothing.
    const trust = all > 0 ? people / (people + 3) : 0;
    out[at + 9] = trust * (((hours / norms[context.hour]) * 24) / 255 - 1);
    out[at + 10] = trust * ((block.weekdays[row * 7 + context.weekday] * 7) / 255 - 1);
  },
};
