/** Consumer groups' settings go from every master named (several 5003, one 207), and with them offsets if wanted. */
import {
  deleteSubscriptionGroupRequestHeader,
  encodeDeleteSubscriptionGroupListBody,
  RequestCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { checkGroup } from "../names/names.ts";
import type { BrokerTarget } from "./admin-types.ts";
import { changeEach } from "./ask-each.ts";
import { mastersOf } from "./servers.ts";
import { checkedNames, severalAtOnce } from "./several-at-once.ts";

export interface DeleteGroupOptions extends BrokerTarget {
  /** Also where the group is in its topics. Default false. */
  readonly cleanOffsets?: boolean | undefined;
}

/** Names of the brokers that did it. */
export async function deleteGroups(
  instance: ClientInstance,
  names: readonly string[],
  { cleanOffsets: cleanOffset = false, ...target }: DeleteGroupOptions,
): Promise<string[]> {
  const groups = checkedNames("group", names, checkGroup);
  const done = await changeEach(await mastersOf(instance, target), (address) =>
    severalAtOnce(groups, {
      ask: (request) => instance.ask(address, request, () => undefined),
      all: (groupNameList) => ({
        code: RequestCode.DELETE_SUBSCRIPTION_GROUP_LIST,
        body: [encodeDeleteSubscriptionGroupListBody({ groupNameList, cleanOffset })],
      }),
      one: (groupName) => ({
        code: RequestCode.DELETE_SUBSCRIPTIONGROUP,
        header: (sink) =>
          deleteSubscriptionGroupRequestHeader.encode(
            { groupName, cleanOffset, removeOffset: cleanOffset },
            sink,
          ),
      }),
    }),
  );
  return done.map(({ server }) => server);
}
