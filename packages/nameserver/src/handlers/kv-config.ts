/**
 * PUT_KV_CONFIG (100), GET_KV_CONFIG (101), DELETE_KV_CONFIG (102), GET_KVLIST_BY_NAMESPACE (219). A change is answered
 * once kvConfig.json holds it; 1 when it cannot be written (RocketMQ answers success).
 */
import {
  deleteKvConfigRequestHeader,
  type Exchange,
  encodeKvTable,
  getKvConfigRequestHeader,
  getKvConfigResponseHeader,
  getKvListByNamespaceRequestHeader,
  putKvConfigRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { KvConfig } from "../kv-config.ts";

interface KvConfigNeeds {
  readonly kv: KvConfig;
}

export function putKvConfig({ kv }: KvConfigNeeds): RequestHandler {
  return (request, exchange) => {
    const { namespace, key, value } = putKvConfigRequestHeader.decode(request.ext);
    if (!kv.fits(namespace, key, value))
      throw new Refusal(ResponseCode.SYSTEM_ERROR, "the KV configuration is full");
    kv.put(namespace, key, value, answerKept(exchange));
  };
}

export function deleteKvConfig({ kv }: KvConfigNeeds): RequestHandler {
  return (request, exchange) => {
    const { namespace, key } = deleteKvConfigRequestHeader.decode(request.ext);
    kv.delete(namespace, key, answerKept(exchange));
  };
}

const answerKept = (exchange: Exchange) => (error: Error | undefined) =>
  exchange.reply(
    error === undefined
      ? { code: ResponseCode.SUCCESS }
      : { code: ResponseCode.SYSTEM_ERROR, remark: `kvConfig.json cannot be written: ${error.message}` },
  );

export function getKvConfig({ kv }: KvConfigNeeds): RequestHandler {
  return (request, exchange) => {
    const { namespace, key } = getKvConfigRequestHeader.decode(request.ext);
    const value = kv.get(namespace, key);
    if (value === undefined) {
      throw new Refusal(ResponseCode.QUERY_NOT_FOUND, `No config item, Namespace: ${namespace} Key: ${key}`);
    }
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => getKvConfigResponseHeader.encode({ value }, sink),
    });
  };
}

export function getKvListByNamespace({ kv }: KvConfigNeeds): RequestHandler {
  return (request, exchange) => {
    const { namespace } = getKvListByNamespaceRequestHeader.decode(request.ext);
    const table = kv.list(namespace);
    if (table === undefined)
      throw new Refusal(ResponseCode.QUERY_NOT_FOUND, `No config item, Namespace: ${namespace}`);
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeKvTable(table)] });
  };
}
