/** NameServers: what they keep by namespace and key, and their configuration. They know nothing of each other. */
import {
  deleteKvConfigRequestHeader,
  getKvConfigRequestHeader,
  getKvConfigResponseHeader,
  getKvListByNamespaceRequestHeader,
  parseKvTable,
  putKvConfigRequestHeader,
  RequestCode,
  ResponseCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { fromResponse } from "../errors/error-from.ts";
import type { ServerFailure } from "../errors/errors.ts";
import { changeEach, lookAtEach } from "./ask-each.ts";
import { propertiesBody, propertiesOf } from "./brokers.ts";
import { nameServersOf } from "./servers.ts";

/** What each NameServer says, by its address. */
export interface FromNameServers<T> {
  readonly servers: Readonly<Record<string, T>>;
  readonly failures: readonly ServerFailure[];
}

/** On every NameServer (100). */
export async function putKv(
  instance: ClientInstance,
  namespace: string,
  key: string,
  value: string,
): Promise<void> {
  await changeEach(nameServersOf(instance), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.PUT_KV_CONFIG,
        header: (sink) => putKvConfigRequestHeader.encode({ namespace, key, value }, sink),
      },
      () => undefined,
    ),
  );
}

/** On every NameServer (102). */
export async function deleteKv(instance: ClientInstance, namespace: string, key: string): Promise<void> {
  await changeEach(nameServersOf(instance), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.DELETE_KV_CONFIG,
        header: (sink) => deleteKvConfigRequestHeader.encode({ namespace, key }, sink),
      },
      () => undefined,
    ),
  );
}

/** `undefined`: that NameServer has no such key (101). */
export function getKv(
  instance: ClientInstance,
  namespace: string,
  key: string,
): Promise<FromNameServers<string | undefined>> {
  return look(instance, (address) =>
    instance.call(
      address,
      {
        code: RequestCode.GET_KV_CONFIG,
        header: (sink) => getKvConfigRequestHeader.encode({ namespace, key }, sink),
      },
      ({ code, remark, ext }) => {
        if (code === ResponseCode.QUERY_NOT_FOUND) return undefined;
        if (code !== ResponseCode.SUCCESS) throw fromResponse(code, remark, address);
        return getKvConfigResponseHeader.decode(ext).value;
      },
    ),
  );
}

/** Every key of a namespace (219); a namespace nobody knows is empty. */
export function listKv(
  instance: ClientInstance,
  namespace: string,
): Promise<FromNameServers<Readonly<Record<string, string>>>> {
  return look(instance, (address) =>
    instance.call(
      address,
      {
        code: RequestCode.GET_KVLIST_BY_NAMESPACE,
        header: (sink) => getKvListByNamespaceRequestHeader.encode({ namespace }, sink),
      },
      ({ code, remark, body }) => {
        if (code === ResponseCode.QUERY_NOT_FOUND) return {};
        if (code !== ResponseCode.SUCCESS) throw fromResponse(code, remark, address);
        return Object.fromEntries(parseKvTable(body));
      },
    ),
  );
}

/** Every key of each NameServer's configuration (319). */
export function nameServerConfig(
  instance: ClientInstance,
): Promise<FromNameServers<Readonly<Record<string, string>>>> {
  return look(instance, (address) =>
    instance.ask(address, { code: RequestCode.GET_NAMESRV_CONFIG }, ({ body }) => propertiesOf(body)),
  );
}

/** Changes keys on every NameServer while it runs (318). */
export async function updateNameServerConfig(
  instance: ClientInstance,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const request = { code: RequestCode.UPDATE_NAMESRV_CONFIG, body: [propertiesBody(values)] };
  await changeEach(nameServersOf(instance), (address) => instance.ask(address, request, () => undefined));
}

async function look<T>(
  instance: ClientInstance,
  ask: (address: string) => Promise<T>,
): Promise<FromNameServers<T>> {
  const { answers, failures } = await lookAtEach(nameServersOf(instance), ask);
  return { servers: Object.fromEntries(answers.map(({ server, value }) => [server, value])), failures };
}
