/**
 * REGISTER_BROKER (103): takes a broker's address and topics into the route table. RocketMQ's order: checksum
 * (1), body, table. The answer's body names the ordered topics, when anybody has put some into the KV configuration.
 */
import type { Clock, Logger } from "@orbitmq/host";
import {
  bodyCrc,
  encodeKvTable,
  newDataVersion,
  ORDER_TOPIC_CONFIG,
  parseRegisterBrokerBody,
  Refusal,
  type RemotingCommand,
  type RequestHandler,
  ResponseCode,
  registerBrokerRequestHeader,
  registerBrokerResponseHeader,
  type TopicConfigSerializeWrapper,
} from "@orbitmq/wire";
import type { KvConfig } from "../kv-config.ts";
import type { ResolvedNameServerOptions } from "../nameserver-options.ts";
import type { RouteTable } from "../route-table.ts";

export interface RegisterBrokerNeeds {
  readonly table: RouteTable;
  readonly kv: Pick<KvConfig, "list">;
  readonly options: Pick<ResolvedNameServerOptions, "returnOrderTopicConfigToBroker">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** RocketMQ: MixAll.ZONE_NAME; put beside the header's fields by brokers that run in a zone. */
const ZONE_NAME = "__ZONE_NAME";

export function registerBroker({ table, kv, options, clock, logger }: RegisterBrokerNeeds): RequestHandler {
  return (request, exchange) => {
    const header = registerBrokerRequestHeader.decode(request.ext);
    const checksum = header.bodyCrc32 ?? 0;
    if (checksum !== 0 && checksum !== bodyCrc(request.body)) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, "crc32 not match");
    }
    const wrapper = topicsOf(request);
    const { clusterName, brokerName, brokerId, brokerAddr } = header;
    const outcome = table.register(
      {
        clusterName,
        brokerName,
        brokerId,
        brokerAddr,
        haServerAddr: header.haServerAddr,
        zoneName: request.ext.get(ZONE_NAME),
        heartbeatTimeoutMs: header.heartbeatTimeoutMillis,
        enableActingMaster: header.enableActingMaster,
        topics: wrapper.topicConfigTable,
        dataVersion: wrapper.dataVersion,
        connectionId: exchange.peer.id,
      },
      clock.monotonicMs(),
    );
    const who = { clusterName, brokerName, brokerId, brokerAddr };
    switch (outcome.kind) {
      case "partial":
        throw new Refusal(
          ResponseCode.SYSTEM_ERROR,
          `register broker failed: ${brokerName} is not registered yet and sent a single topic`,
        );
      case "full":
        throw new Refusal(ResponseCode.SYSTEM_ERROR, "register broker failed: the table of brokers is full");
      case "outdated":
        logger.warn({ ...who, liveAddr: outcome.liveAddr }, "ignored a registration older than the live one");
        exchange.reply({ code: ResponseCode.SUCCESS });
        return;
      case "registered": {
        if (outcome.isNew)
          logger.info({ ...who, topics: wrapper.topicConfigTable.size }, "broker registered");
        if (outcome.topicsLeftOut > 0) {
          logger.warn({ ...who, topicsLeftOut: outcome.topicsLeftOut }, "the table of topics is full");
        }
        const ordered = options.returnOrderTopicConfigToBroker ? kv.list(ORDER_TOPIC_CONFIG) : undefined;
        exchange.reply({
          code: ResponseCode.SUCCESS,
          body: ordered === undefined ? undefined : [encodeKvTable(ordered)],
          header: (sink) =>
            registerBrokerResponseHeader.encode(
              { masterAddr: outcome.masterAddr, haServerAddr: outcome.haServerAddr },
              sink,
            ),
        });
      }
    }
  };
}

function topicsOf(request: RemotingCommand): TopicConfigSerializeWrapper {
  if (request.body.length === 0) return { topicConfigTable: new Map(), dataVersion: newDataVersion(0) };
  return parseRegisterBrokerBody(request.body).topicConfigSerializeWrapper;
}
