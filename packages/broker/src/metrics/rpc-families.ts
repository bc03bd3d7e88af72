/** How long answers take, and what the listener is busy with. */
import type { MetricFamily, MetricLabels } from "@orbitmq/host";
import {
  RequestCode,
  ResponseCode,
  type RpcLatency,
  type RpcOutcome,
  type RpcServerStatus,
} from "@orbitmq/wire";
import { family, map, single } from "./families.ts";

const requestNames = namesOf(RequestCode);
const responseNames = namesOf(ResponseCode);
const SENDS: ReadonlySet<number> = new Set([
  RequestCode.SEND_MESSAGE,
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
  RequestCode.SEND_REPLY_MESSAGE,
  RequestCode.SEND_REPLY_MESSAGE_V2,
]);

export function* rpcFamilies(latency: RpcLatency, status: RpcServerStatus): Generator<MetricFamily> {
  yield family(
    "rocketmq_rpc_latency",
    "histogram",
    "From a request's arrival to its answer",
    map(latency.outcomes(), (outcome) => ({ labels: labelsOf(outcome), value: outcome.latency })),
    "milliseconds",
  );
  const refused = new Map<string, number>();
  for (const { requestCode, responseCode, latency: counted } of latency.outcomes()) {
    if (!SENDS.has(requestCode) || responseCode === ResponseCode.SUCCESS) continue;
    const name = nameOf(responseNames, responseCode);
    refused.set(name, (refused.get(name) ?? 0) + counted.count);
  }
  yield family(
    "orbitmq_sends_refused_total",
    "counter",
    "Sends answered with another code than SUCCESS",
    map(refused, ([response_code, value]) => ({ labels: { response_code }, value })),
  );
  yield single("orbitmq_connections", "gauge", "Connections of clients", status.connections);
  const { connectionsRefused, requestsInFlight, unsentBytes } = status;
  yield single("orbitmq_connections_refused_total", "counter", "Connections refused", connectionsRefused);
  yield single("orbitmq_requests_in_flight", "gauge", "Requests not answered yet", requestsInFlight);
  yield single(
    "orbitmq_unsent",
    "gauge",
    "Framed answers the kernel has not taken yet",
    unsentBytes,
    "bytes",
  );
}

function labelsOf({ requestCode, responseCode, isLongPolling, result }: RpcOutcome): MetricLabels {
  return {
    protocol_type: "remoting",
    request_code: nameOf(requestNames, requestCode),
    response_code: nameOf(responseNames, responseCode),
    is_long_polling: String(isLongPolling),
    result,
  };
}

function namesOf(table: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, code]) => [code, name.toLowerCase()]));
}

function nameOf(names: ReadonlyMap<number, string>, code: number): string {
  return names.get(code) ?? (code < 0 ? "other" : String(code));
}
