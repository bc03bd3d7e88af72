/**
 * A broker that only answers: sends get SEND_OK with offsets that count up, heartbeats get SUCCESS, and every topic's
 * route leads here, four queues of it. The RPC server is the shipped one; nothing is stored. Prints its address.
 */
import { nodeHost } from "@orbitmq/host/node";
import {
  copyBytes,
  decodeSendMessageRequestHeader,
  type Exchange,
  type ExtSink,
  encodeHostBytes,
  encodeOffsetMessageId,
  encodeTopicRouteData,
  getProperty,
  type OutgoingResponse,
  PlainSend,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcServer,
  SendMessageAnswers,
  sendMessageResponseHeader,
} from "@orbitmq/wire";

const QUEUES = 4;
const READ_AND_WRITE = 6;
const host = nodeHost();
const server = new RpcServer(host);
const answers = new SendMessageAnswers("DefaultRegion", true, "disk");
const plain = new PlainSend();
const uniqKey = Buffer.alloc(64);
const answer = {
  physicalOffset: 0,
  queueId: 0,
  queueOffset: 0,
  uniqKey,
  uniqKeyView: new DataView(uniqKey.buffer, uniqKey.byteOffset, uniqKey.length),
  uniqKeyLength: 0,
  isFlushed: true,
};
let storeHost: Uint8Array = new Uint8Array(8);
let address = "";

const plainReply: OutgoingResponse = {
  code: ResponseCode.SUCCESS,
  header: (sink: ExtSink) => void answers.write(sink, answer),
  prepared: {
    writeFrame: (out, opaque, language, version) =>
      answers.writeFrame(out, opaque, language, version, answer),
  },
};

function send(request: RemotingCommand, exchange: Exchange): void {
  answer.physicalOffset += 400;
  answer.queueOffset++;
  if (plain.read(request.code, request.ext) && plain.properties.uniqKeyStart >= 0) {
    const { view, uniqKeyStart, uniqKeyEnd } = plain.properties;
    answer.queueId = plain.queueId;
    answer.uniqKeyLength = Math.min(uniqKeyEnd - uniqKeyStart, uniqKey.length);
    copyBytes(view, uniqKeyStart, answer.uniqKeyView, 0, answer.uniqKeyLength);
    exchange.reply(plainReply);
    return;
  }
  const { queueId, properties = "" } = decodeSendMessageRequestHeader(request.code, request.ext);
  const header = {
    msgId: encodeOffsetMessageId(storeHost, answer.physicalOffset),
    queueId,
    queueOffset: answer.queueOffset,
    transactionId: getProperty(properties, "UNIQ_KEY"),
  };
  exchange.reply({
    code: ResponseCode.SUCCESS,
    header: (sink) => sendMessageResponseHeader.encode(header, sink),
  });
}

function route(_request: RemotingCommand, exchange: Exchange): void {
  const brokerName = "null-broker";
  const body = encodeTopicRouteData(
    {
      queueDatas: [
        { brokerName, readQueueNums: QUEUES, writeQueueNums: QUEUES, perm: READ_AND_WRITE, topicSysFlag: 0 },
      ],
      brokerDatas: [
        {
          cluster: "DefaultCluster",
          brokerName,
          brokerAddrs: new Map([[0, address]]),
          enableActingMaster: false,
        },
      ],
      filterServerTable: new Map(),
    },
    true,
  );
  exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
}

for (const code of [RequestCode.SEND_MESSAGE, RequestCode.SEND_MESSAGE_V2, RequestCode.SEND_BATCH_MESSAGE]) {
  server.handle(code, send);
}
server.handle(RequestCode.GET_ROUTEINFO_BY_TOPIC, route);
server.handleUnknown((_request, exchange) => exchange.reply({ code: ResponseCode.SUCCESS }));
server.listen({ host: "127.0.0.1", port: 0 }, (error, listener) => {
  if (listener === undefined) throw error;
  storeHost = encodeHostBytes(listener.local);
  answers.setStoreHost(encodeOffsetMessageId(storeHost, 0).slice(0, -16));
  address = `127.0.0.1:${listener.local.port}`;
  console.log(address);
});
