/** GET_BROKER_MEMBER_GROUP (901): the addresses of one broker name; none for one nobody knows. */
import {
  encodeBrokerMemberGroup,
  getBrokerMemberGroupRequestHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

export function getBrokerMemberGroup({ table }: { table: RouteTable }): RequestHandler {
  return (request, exchange) => {
    const { clusterName, brokerName } = getBrokerMemberGroupRequestHeader.decode(request.ext);
    const brokerAddrs = table.addressesOf(brokerName);
    const body = encodeBrokerMemberGroup({ cluster: clusterName, brokerName, brokerAddrs });
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };
}
