import assert from "node:assert/strict";
import { test } from "node:test";
import { type RemotingCommand, ResponseCode, WireError } from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
import { askRecall, recallRequest } from "./recall.ts";

type Answer = WireError | { readonly code: number; readonly ext?: Readonly<Record<string, string>> };

async function outcomeAfter(answer: Answer): Promise<string> {
  const rpc = {
    request: (
      _address: string,
      _request: unknown,
      _timeoutMs: number,
      done: (error: WireError | undefined, response: RemotingCommand | undefined) => void,
    ) => {
      if (answer instanceof WireError) done(answer, undefined);
      else {
        const ext = new Map(Object.entries(answer.ext ?? {}));
        done(undefined, { code: answer.code, remark: "", ext } as unknown as RemotingCommand);
      }
    },
  };
  try {
    const request = recallRequest("g", "t", "h");
    const { msgId } = await askRecall(rpc as never, "broker:1", request, 1_000, "broker-a");
    return msgId;
  } catch (error) {
    assert.ok(error instanceof OrbitError);
    return `${error.code} ${error.outcome}`;
  }
}

test("a recall resolves to the id of the message", async () => {
  assert.equal(await outcomeAfter({ code: ResponseCode.SUCCESS, ext: { msgId: "0A" } }), "0A");
});

test("a recall that was sent and has no answer may have been taken", async () => {
  const closed = (sent: boolean) => new WireError("CONNECTION_CLOSED", "the connection closed", { sent });
  assert.equal(await outcomeAfter(closed(true)), "CONNECTION_CLOSED unknown");
  assert.equal(await outcomeAfter(closed(false)), "CONNECTION_CLOSED refused");
});

test("a recall the broker refuses was not taken, unless the broker says that it may have been", async () => {
  assert.equal(await outcomeAfter({ code: ResponseCode.ILLEGAL_OPERATION }), "BROKER_REFUSED refused");
  assert.equal(await outcomeAfter({ code: ResponseCode.NO_PERMISSION }), "NO_PERMISSION refused");
  const unsure = { code: ResponseCode.SERVICE_NOT_AVAILABLE, ext: { outcome: "unknown" } };
  assert.equal(await outcomeAfter(unsure), "SERVICE_NOT_AVAILABLE unknown");
  assert.equal(await outcomeAfter({ code: ResponseCode.FLUSH_DISK_TIMEOUT }), "FLUSH_DISK_TIMEOUT unknown");
});
