import assert from "node:assert/strict";
import { it } from "node:test";
import { Histogram } from "@orbitmq/host";
import { type RequestHandler, ResponseCode } from "@orbitmq/wire";
import { CountedBy } from "../metrics/counted.ts";
import { call } from "../testing/fake-exchange.ts";
import { timedCreation } from "./timed-creation.ts";

const clock = { monotonicMs: () => 0, wallMs: () => 0 };
const answering =
  (code: number): RequestHandler =>
  (_request, exchange) =>
    exchange.reply({ code });

it("creations are counted by how they ended, and by whose the name is where that is told apart", () => {
  const counts = new CountedBy(() => new Histogram([10]));
  const system = { clock, counts, isSystem: () => true };
  call(timedCreation(answering(ResponseCode.SUCCESS), { clock, counts }), { code: 200 });
  call(timedCreation(answering(ResponseCode.SYSTEM_ERROR), { clock, counts }), { code: 200 });
  call(timedCreation(answering(ResponseCode.SUCCESS), system), { code: 17 });
  call(timedCreation(answering(ResponseCode.SUCCESS), system), { code: 17 });
  assert.deepEqual(
    [...counts.entries()].map(([key, { count }]) => [key, count]),
    [
      ["success", 1],
      ["failure", 1],
      ["success true", 2],
    ],
  );
});
