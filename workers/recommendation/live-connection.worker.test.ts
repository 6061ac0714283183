/// <reference types="@cloudflare/vitest-plugin/types" />

import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { liveHeaders } from "../../shared/contracts/live.ts";
import { alarmOf, session } from "./testing/user-sessions.ts";

describe("a live connection", () => {
  const connect = async (userId: string, until: number, headers = {}): Promise<Response> =>
    session(userId).fetch(
      new Request("https://session/", {
        headers: { upgrade: "websocket", [liveHeaders.until]: String(until), ...headers },
      }),
    );

  it("S3: says whether somebody vouches for the user, so that a pushed list counts as an answered one", async () => {
    const rights: { [name: string]: string }[] = [
      { [liveHeaders.mayKnowPlace]: "yes", [liveHeaders.isVouched]: "no" },
      { [liveHeaders.mayKnowPlace]: "yes", [liveHeaders.isVouched]: "yes" },
      { [liveHeaders.mayKnowPlace]: "yes", [liveHeaders.isVouched]: "no" },
    ];
    for (const headers of rights) {
      const { webSocket } = await connect("vouched", Date.now() / 1000 + 60, headers);
      webSocket?.accept();
    }
    expect(await session("vouched").listenerRights()).toEqual([
      { mayKnowPlace: true, isVouched: false },
      { mayKnowPlace: true, isVouched: true },
    ]);
  });

  it("receives nothing after its credential has expired", async () => {
    const received: string[] = [];
    for (const [name, until] of [
      ["lasting", Date.now() / 1000 + 60],
      ["ended", Date.now() / 1000 - 1],
    ] as const) {
      const { webSocket } = await connect("listener", until);
      if (!webSocket) throw new Error("no connection");
      webSocket.accept();
      webSocket.addEventListener("message", ({ data }) => received.push(`${name}: ${data}`));
      webSocket.addEventListener("close", ({ code }) => received.push(`${name}: closed ${code}`));
    }
    await session("listener").broadcast("message", { mayKnowPlace: false, isVouched: false });
    await vi.waitFor(() => expect([...received].sort()).toEqual(["ended: closed 1008", "lasting: message"]));
  });

  it("is one of at most eight, and closes when its credential expires", async () => {
    const statuses: number[] = [];
    const closed: number[] = [];
    const join = async (until: number) => {
      const { status, webSocket } = await connect("popular", until);
      webSocket?.accept();
      webSocket?.addEventListener("close", ({ code }) => {
        closed.push(code);
        webSocket.close();
      });
      statuses.push(status);
    };
    const now = Date.now() / 1000;
    for (let i = 0; i < 9; i++) await join(now + (i < 3 ? 600 : 1200));
    expect(statuses).toEqual([...Array<number>(8).fill(101), 429]);
    expect(await alarmOf("popular")).toBe(Math.round((now + 600) * 1000));

    vi.useFakeTimers({ now: (now + 601) * 1000, toFake: ["Date"] });
    try {
      await runDurableObjectAlarm(session("popular"));
      await vi.waitFor(() => expect(closed).toEqual([1008, 1008, 1008]));
      expect(await alarmOf("popular")).toBe(Math.round((now + 1200) * 1000));
      for (let i = 0; i < 4; i++) await join(now + 1200);
      expect(statuses.slice(9)).toEqual([101, 101, 101, 429]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("that refuses to close does not block the others", async () => {
    const received: string[] = [];
    for (const name of ["rude", "polite"]) {
      const { webSocket } = await connect("visited", Date.now() / 1000 + 60);
      if (!webSocket) throw new Error("no connection");
      webSocket.accept({ allowHalfOpen: true });
      webSocket.addEventListener("message", ({ data }) => {
        received.push(`${name}: ${data}`);
      });
      webSocket.addEventListener("close", ({ code }) => {
        received.push(`${name}: closed ${code}`);
      });
      if (name === "rude") webSocket.send("let me in");
    }
    await vi.waitFor(() => expect(received).toEqual(["rude: closed 1008"]));
    await session("visited").broadcast("message", { mayKnowPlace: false, isVouched: false });
    await vi.waitFor(() => expect(received).toEqual(["rude: closed 1008", "polite: message"]));
  });
});
