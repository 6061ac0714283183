import { describe, expect, it } from "vitest";
import { workerNamed } from "../workers.ts";
import { measureBundle } from "./measure-bundle.ts";

const maxKilobytes = 500;

describe("the bundle of a worker of objects", () => {
  it.each(["user-session", "cell"])(
    "is small, without the ONNX runtime, a model and the H3 library: %s",
    async (name) => {
      const { kilobytes, inputs } = await measureBundle(workerNamed(name).config);
      expect(inputs.some((path) => path.endsWith(`${name}.ts`))).toBe(true);
      expect(
        inputs.filter((path) => /onnx|h3-js|node_modules\/zod\/v4\/locales\/(?!en\.)/.test(path)),
      ).toEqual([]);
      expect(kilobytes).toBeLessThan(maxKilobytes);
    },
    60_000,
  );
});
