import fc from "fast-check";

// A property test reports the seed and the input with which it failed.
fc.configureGlobal({ seed: 1 });
