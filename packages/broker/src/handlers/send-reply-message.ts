/**
 * SEND_REPLY_MESSAGE (324) and SEND_REPLY_MESSAGE_V2 (325): the reply to a request. It is pushed to the client
 * that waits for it (326 PUSH_REPLY_MESSAGE_TO_CLIENT), found by REPLY_TO_CLIENT among the producers online, and
 * stored in the reply topic where `storeReplyMessageEnable` says so. The headers are those of sends.
 *
 *   0   the client has it
 *   1   it names no client; the client is not online here, or does not take it
 *   17, 29, 13, 16   as for a send
 */
import type { Clock } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import {
  COMPRESSION_MASK,
  decodeSendMessageRequestHeader,
  type Exchange,
  formatHostBytes,
  getProperty,
  MessageConst,
  MessageSysFlag,
  type Peer,
  type RecordInput,
  Refusal,
  RequestCode,
  type RequestHandler,
  ResponseCode,
  replyMessageRequestHeader,
  type SendMessageRequestHeader,
  sendMessageResponseHeader,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { CALL_CLIENT_TIMEOUT_MS } from "../calling/call-consumer.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import { isNotAllowedSendTopic, topicNameProblem } from "../names.ts";
import { withProperties } from "../sending/property-text.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface SendReplyMessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly clock: Clock;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly producers: ProducerGroups;
  readonly identity: BrokerIdentity;
  readonly stats: BrokerStats;
}

export function sendReplyMessage(needs: SendReplyMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = decodeSendMessageRequestHeader(request.code, request.ext);
    check(needs, header, request.body.length);
    const properties = header.properties ?? "";
    const clientId = getProperty(properties, MessageConst.MESSAGE_REPLY_TO_CLIENT);
    if (clientId === undefined) {
      throw failed(`reply message properties[${MessageConst.MESSAGE_REPLY_TO_CLIENT}] is null`);
    }
    const client = needs.producers.peerOf(clientId);
    if (client === undefined) {
      throw failed(`push reply message fail, channel of <${clientId.slice(0, 256)}> not found.`);
    }
    const reply: Reply = { header, properties, body: Uint8Array.from(request.body), clientId };
    push(needs, client, reply, exchange, (taken) => {
      if (taken) answer(needs, reply, exchange);
      else {
        const remark = `push reply message to ${clientId.slice(0, 256)} fail.`;
        exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark });
      }
    });
  };
}

interface Reply {
  readonly header: SendMessageRequestHeader;
  readonly properties: string;
  readonly body: Uint8Array;
  readonly clientId: string;
}

/** A reply goes to a topic that exists; none is made for it. */
function check(
  { options, topics }: SendReplyMessageNeeds,
  { topic, queueId }: SendMessageRequestHeader,
  bodyBytes: number,
): void {
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new Refusal(ResponseCode.INVALID_PARAMETER, problem);
  if (isNotAllowedSendTopic(topic)) {
    throw new Refusal(ResponseCode.NO_PERMISSION, `Sending message to topic[${topic}] is forbidden.`);
  }
  const config = topics.get(topic);
  if (config === undefined) throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
  if (queueId >= Math.max(config.writeQueueNums, config.readQueueNums)) {
    throw new Refusal(ResponseCode.INVALID_PARAMETER, `request queueId[${queueId}] is illegal`);
  }
  if (bodyBytes === 0 || bodyBytes > options.maxMessageSize) {
    const remark = `the message is illegal: its body has ${bodyBytes} bytes, the limit is ${options.maxMessageSize}`;
    throw new Refusal(ResponseCode.MESSAGE_ILLEGAL, remark);
  }
}

function push(
  { clock, identity }: SendReplyMessageNeeds,
  client: Peer,
  { header, properties, body }: Reply,
  exchange: Exchange,
  done: (taken: boolean) => void,
): void {
  const storeTimestamp = clock.wallMs();
  const pushed = {
    ...header,
    properties: withProperties(properties, { [MessageConst.PUSH_REPLY_TIME]: storeTimestamp }),
    bornHost: exchange.peer.address,
    storeHost: formatHostBytes(identity.storeHost),
    storeTimestamp,
  };
  client.request(
    {
      code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
      header: (sink) => replyMessageRequestHeader.encode(pushed, sink),
      body: [body],
    },
    CALL_CLIENT_TIMEOUT_MS,
    (_error, response) => done(response?.code === ResponseCode.SUCCESS),
  );
}

/** The client has the reply; what becomes of the copy changes nothing about that. */
function answer(needs: SendReplyMessageNeeds, reply: Reply, exchange: Exchange): void {
  const { options, store, identity, stats } = needs;
  const queueId = Math.max(0, reply.header.queueId);
  const respond = (msgId: string, queueOffset: number): void => {
    const { regionId: MSG_REGION, traceOn: TRACE_ON } = options;
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) =>
        sendMessageResponseHeader.encode({ msgId, queueId, queueOffset, MSG_REGION, TRACE_ON }, sink),
    });
  };
  if (!options.storeReplyMessageEnable) {
    respond("0", 0);
    return;
  }
  const message: RecordInput = {
    topic: reply.header.topic,
    queueId,
    flag: reply.header.flag,
    sysFlag: reply.header.sysFlag & (MessageSysFlag.COMPRESSED | COMPRESSION_MASK),
    bornTimestamp: reply.header.bornTimestamp,
    bornHost: exchange.peer.addressBytes,
    storeHost: identity.storeHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: reply.body,
    properties: reply.properties,
  };
  const result = store.append(message, "written", {
    appendSettled: () => {
      if (result.status === "appended") {
        respond(identity.messageIds(result.physicalOffset, undefined), result.queueOffset);
      }
    },
  });
  if (result.status === "appended") stats.put(1, result.byteCount, message.topic, "normal");
  else {
    stats.putFailed++;
    respond("0", 0);
  }
}

function failed(remark: string): Refusal {
  return new Refusal(ResponseCode.SYSTEM_ERROR, remark);
}
