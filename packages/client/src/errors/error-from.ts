/**
 * The one place where failures of the layers below (WireError, response codes, thrown unknowns) become
 * {@link OrbitError}s.
 */
import { ResponseCode, responseCodeName, WireError, type WireErrorCode } from "@orbitmq/wire";
import { OrbitError, type OrbitErrorCode, type OrbitErrorDetails } from "./errors.ts";

const BY_WIRE_CODE: { readonly [C in WireErrorCode]?: OrbitErrorCode } = {
  CONNECT_FAILED: "CONNECT_FAILED",
  CONNECTION_CLOSED: "CONNECTION_CLOSED",
  REQUEST_TIMEOUT: "TIMEOUT",
  TOO_MANY_REQUESTS: "OVERLOADED",
  PEER_NOT_READING: "OVERLOADED",
  RPC_STOPPED: "SHUT_DOWN",
  ADDRESS_INVALID: "INVALID_ARGUMENT",
};

const BY_RESPONSE_CODE: ReadonlyMap<number, OrbitErrorCode> = new Map<number, OrbitErrorCode>([
  [ResponseCode.SYSTEM_ERROR, "SYSTEM_ERROR"],
  [ResponseCode.SYSTEM_BUSY, "SYSTEM_BUSY"],
  [ResponseCode.REQUEST_CODE_NOT_SUPPORTED, "REQUEST_CODE_NOT_SUPPORTED"],
  [ResponseCode.FLUSH_DISK_TIMEOUT, "FLUSH_DISK_TIMEOUT"],
  [ResponseCode.SLAVE_NOT_AVAILABLE, "SLAVE_NOT_AVAILABLE"],
  [ResponseCode.FLUSH_SLAVE_TIMEOUT, "FLUSH_SLAVE_TIMEOUT"],
  [ResponseCode.MESSAGE_ILLEGAL, "MESSAGE_ILLEGAL"],
  [ResponseCode.SERVICE_NOT_AVAILABLE, "SERVICE_NOT_AVAILABLE"],
  [ResponseCode.NO_PERMISSION, "NO_PERMISSION"],
  [ResponseCode.TOPIC_NOT_EXIST, "TOPIC_NOT_EXIST"],
  [ResponseCode.QUERY_NOT_FOUND, "QUERY_NOT_FOUND"],
  [ResponseCode.SUBSCRIPTION_PARSE_FAILED, "SUBSCRIPTION_PARSE_FAILED"],
  [ResponseCode.SUBSCRIPTION_NOT_EXIST, "SUBSCRIPTION_NOT_EXIST"],
  [ResponseCode.SUBSCRIPTION_NOT_LATEST, "SUBSCRIPTION_NOT_LATEST"],
  [ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, "SUBSCRIPTION_GROUP_NOT_EXIST"],
  [ResponseCode.FILTER_DATA_NOT_EXIST, "FILTER_DATA_NOT_EXIST"],
  [ResponseCode.FILTER_DATA_NOT_LATEST, "FILTER_DATA_NOT_LATEST"],
  [ResponseCode.INVALID_PARAMETER, "INVALID_PARAMETER"],
  [ResponseCode.FLOW_CONTROL, "FLOW_CONTROL"],
  [ResponseCode.GO_AWAY, "GO_AWAY"],
]);

/** An RPC that failed. `server` names the broker, or the address, it went to. */
export function fromWireError(error: WireError, server: string, details: OrbitErrorDetails = {}): OrbitError {
  const code = BY_WIRE_CODE[error.code] ?? "PROTOCOL_ERROR";
  const message = error.message.startsWith(server) ? error.message : `${server}: ${error.message}`;
  return new OrbitError(code, message, { broker: server, ...details, cause: error });
}

/** A response that is a refusal. */
export function fromResponse(
  responseCode: number,
  remark: string | undefined,
  server: string,
  details: OrbitErrorDetails = {},
): OrbitError {
  const code = BY_RESPONSE_CODE.get(responseCode) ?? "BROKER_REFUSED";
  const name = responseCodeName(responseCode);
  const what = `${server} answered ${responseCode}${name === undefined ? "" : ` ${name}`}`;
  return new OrbitError(code, remark === undefined || remark === "" ? what : `${what}: ${remark}`, {
    broker: server,
    ...details,
    responseCode,
    remark,
  });
}

/** Anything that was thrown; what is an OrbitError already stays as it is. */
export function fromUnknown(error: unknown, server?: string): OrbitError {
  if (error instanceof OrbitError) return error;
  if (error instanceof WireError) return fromWireError(error, server ?? "client");
  const message = error instanceof Error ? error.message : String(error);
  return new OrbitError("INTERNAL", message, { broker: server, cause: error });
}
