import * as z from "zod";
import { daySeconds } from "../../../shared/time/seconds.ts";

const defaultClickWindowSeconds = 1800;

const setting = z.coerce.number().int().min(1).max(daySeconds).default(defaultClickWindowSeconds);

/**
 * Returns the click window in seconds: `CLICK_WINDOW_SECONDS` of the worker's variables, 1 to 86,400, default 1800. A
 * product that is shown and not clicked within the window counts as a negative example. Throws if the variable is
 * invalid.
 */
export const clickWindowOf = (variables: object): number =>
  setting.parse(Reflect.get(variables, "CLICK_WINDOW_SECONDS"));
