/**
 * Asks a broker which queues this member of the group has, and whether it pulls or pops them (RocketMQ:
 * RebalanceImpl.getRebalanceResultFromBroker).
 */
import {
  encodeQueryAssignmentBody,
  type MessageQueueAssignment,
  parseAssignments,
  RequestCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import type { OrbitError } from "../../errors/errors.ts";
import type { ConsumerSettings } from "../consumer-settings.ts";

/** `undefined`: what the member has stays. Rejects when no broker answers. */
export async function queryAssignment(
  instance: ClientInstance,
  { group, messageModel, allocateStrategy }: ConsumerSettings,
  topic: string,
  brokerNames: readonly string[],
): Promise<readonly MessageQueueAssignment[] | undefined> {
  const { clientId, heartbeats, routes, host } = instance;
  const body = encodeQueryAssignmentBody({
    topic,
    consumerGroup: group,
    clientId,
    strategyName: allocateStrategy.name,
    messageModel,
  });
  const start = host.random.int(Math.max(brokerNames.length, 1));
  let failure: OrbitError | undefined;
  for (let i = 0; i < brokerNames.length; i++) {
    const address = routes.masterOf(brokerNames[(start + i) % brokerNames.length]!);
    // A broker that does not know this member gives it nothing.
    if (address === undefined || !(await heartbeats.ensureKnown(address))) continue;
    try {
      return await instance.ask(address, { code: RequestCode.QUERY_ASSIGNMENT, body: [body] }, (response) =>
        parseAssignments(response.body),
      );
    } catch (error) {
      failure = fromUnknown(error, address);
      if (failure.code === "REQUEST_CODE_NOT_SUPPORTED") throw failure;
      heartbeats.forget(address);
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}
