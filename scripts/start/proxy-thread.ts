// The thread of the local proxy. It has an event loop of its own, so that an import or a training does not delay requests.
import { parentPort, workerData } from "node:worker_threads";
import { createLocalProxy } from "./local-proxy.ts";

const { publicPort, target } = workerData;
createLocalProxy(target).listen(publicPort, "127.0.0.1", () => parentPort?.postMessage("listening"));
