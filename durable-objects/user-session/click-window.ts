import { z } from "zod";

const usualSeconds = 1800;

const setting = z.coerce.number().int().min(1).max(86_400).default(usualSeconds);

/**
 * Seconds after which what was not clicked counts as not wanted: `CLICK_WINDOW_SECONDS` of the worker's variables, 1 to
 * 86,400; half an hour unless it says so. Throws where it says something else.
 */
export const clickWindowOf = (variables: object): number =>
  setting.parse(Reflect.get(variables, "CLICK_WINDOW_SECONDS"));
