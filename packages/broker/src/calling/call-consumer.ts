/**
 * Passing an administrator's question on to a consumer, and its answer back (RocketMQ: AdminBrokerProcessor.
 * callConsumer, Broker2Client.callClient).
 *
 *     1  the consumer is not online, too old, or its connection broke
 *   207  it did not answer in time
 */
import { type Exchange, MQVersion, type RemotingCommand, ResponseCode, type WireError } from "@orbitmq/wire";
import type { ConsumerGroups, GroupMember } from "../consumer-groups/consumer-groups.ts";

/** RocketMQ: Broker2Client.callClient. */
export const CALL_CLIENT_TIMEOUT_MS = 10_000;
/** RocketMQ asks for V3_1_8_SNAPSHOT. */
const VERSION_MIN = MQVersion.V3_1_8 - 1;

export interface ConsumerCall {
  readonly code: number;
  readonly group: string;
  readonly clientId: string;
  readonly ext: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
}

/** Asks the consumer and answers `exchange`. */
export function callConsumer(consumers: ConsumerGroups, call: ConsumerCall, exchange: Exchange): void {
  const { code, group, clientId, ext, body } = call;
  const who = `<${group}> <${clientId}>`;
  const member = memberOf(consumers, group, clientId);
  if (member === undefined) {
    exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark: `The Consumer ${who} not online` });
    return;
  }
  if (member.peer.version < VERSION_MIN) {
    const remark = `The Consumer ${who} is of version ${member.peer.version}, too low to finish`;
    exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark });
    return;
  }
  member.peer.request(
    {
      code,
      header: (sink) => {
        for (const [name, value] of ext) sink.put(name, value);
      },
      body: body === undefined ? undefined : [body],
    },
    CALL_CLIENT_TIMEOUT_MS,
    (error, response) => {
      if (response === undefined) exchange.reply(failure(error, who));
      else passBack(response, exchange);
    },
  );
}

export function memberOf(
  consumers: ConsumerGroups,
  group: string,
  clientId: string,
): GroupMember | undefined {
  for (const member of consumers.get(group)?.members.values() ?? []) {
    if (member.clientId === clientId) return member;
  }
  return undefined;
}

/** A request's fields, to be kept longer than the request. */
export function fieldsOf(command: RemotingCommand): Map<string, string> {
  const fields = new Map<string, string>();
  command.ext.forEach((name, value) => void fields.set(name, value));
  return fields;
}

function failure(error: WireError | undefined, who: string): { code: number; remark: string } {
  const isTimeout = error?.code === "REQUEST_TIMEOUT";
  return isTimeout
    ? { code: ResponseCode.CONSUME_MSG_TIMEOUT, remark: `consumer ${who} Timeout: ${error.message}` }
    : { code: ResponseCode.SYSTEM_ERROR, remark: `invoke consumer ${who} Exception: ${error?.message}` };
}

function passBack(response: RemotingCommand, exchange: Exchange): void {
  const fields = fieldsOf(response);
  exchange.reply({
    code: response.code,
    remark: response.remark,
    header: (sink) => {
      for (const [name, value] of fields) sink.put(name, value);
    },
    body: [Uint8Array.from(response.body)],
  });
}
