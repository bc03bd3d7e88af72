/**
 * Every command of mqadmin and every call of the Dashboard, asked of OrbitMQ and of the original with the same data: what
 * they show is the same but for what mqadmin-differences.ts explains.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startServerProcess } from "orbitmq/testing";
import { startJavaServer } from "./java-server.ts";
import { notSwept, refusedSteps, type SweepStep, sweep } from "./mqadmin-commands.ts";
import { explainedDifferences, refusals } from "./mqadmin-differences.ts";
import { MqadminSide, type Printed } from "./mqadmin-side.ts";
import { differenceOf, linesOf } from "./mqadmin-text.ts";
import { Workshop } from "./workshop.ts";

const timeout = 240_000;
const workshop = new Workshop("mqadmin-sweep");
let ours: MqadminSide;
let theirs: MqadminSide;

before(
  async () => {
    const [server, java] = await Promise.all([
      startServerProcess({ home: workshop.place("data") }),
      startJavaServer({
        directory: workshop.place("java"),
        // The same bytes in the log; and what is sent back on a busy machine is taken.
        brokerProperties: { enabledAppendPropCRC: "true", waitTimeMillsInSendQueue: "60000" },
      }),
    ]);
    workshop.ends(server, (it) => it.stop());
    workshop.ends(java, (it) => it.kill());
    [ours, theirs] = await Promise.all([
      MqadminSide.start(server.namesrvAddr, server.brokerAddr, workshop.place("ours")),
      MqadminSide.start(java.namesrv, java.broker, workshop.place("theirs")),
    ]);
    workshop.ends(ours, (it) => it.stop());
    workshop.ends(theirs, (it) => it.stop());
  },
  { timeout },
);

const used = new Set<unknown>();

/** Lines that differ and that nobody explains. */
function unexplained(command: string, mine: readonly string[], original: readonly string[]): string[] {
  const entries = explainedDifferences.filter((entry) => command.startsWith(entry.command));
  const left = (side: "ours" | "theirs", lines: readonly string[]) =>
    lines.filter((line) => {
      const entry = entries.find((one) => one[side]?.test(line) === true);
      if (entry !== undefined) used.add(entry[side]);
      return entry === undefined;
    });
  const { ours: more, theirs: less } = differenceOf(mine, original);
  return [
    ...left("ours", more).map((line) => `${command}\n    ours   ${line}`),
    ...left("theirs", less).map((line) => `${command}\n    theirs ${line}`),
  ];
}

async function both(step: SweepStep): Promise<[Printed, Printed]> {
  return Promise.all([ours.print(step), theirs.print(step)]);
}

const lines = (mine: Printed, original: Printed, only?: SweepStep["only"]) =>
  [linesOf(mine, ours.words, only), linesOf(original, theirs.words, only)] as const;

describe("mqadmin and the Dashboard at OrbitMQ and at the original", () => {
  test("show the same but for what is explained", { timeout }, async () => {
    const found: string[] = [];
    for (const step of sweep) {
      const [mine, original] = lines(...(await both(step)), step.only);
      found.push(...unexplained(step.line, mine, original));
    }
    const [mine, original] = await Promise.all([ours.dashboard(), theirs.dashboard()]);
    assert.deepEqual([...mine.keys()], [...original.keys()]);
    for (const [name, printed] of mine) {
      const only = name.startsWith("statistics T") || name.startsWith("statistics G") ? "words" : undefined;
      found.push(...unexplained(`dashboard: ${name}`, ...lines(printed, original.get(name)!, only)));
    }
    assert.deepEqual(found, [], found.join("\n"));
    const idle = explainedDifferences.flatMap((entry) =>
      [entry.ours, entry.theirs].filter((pattern) => pattern !== undefined && !used.has(pattern)),
    );
    assert.deepEqual(idle.map(String), [], "explained, and does not differ any more");
  });

  for (const [family, steps] of Object.entries(refusedSteps)) {
    test(`${family}: ${refusals[family]}`, { timeout }, async () => {
      for (const step of steps) {
        const [mine, original] = lines(...(await both(step)), step.only);
        const { ours: more } = differenceOf(mine, original);
        const isSaid = more.length === 0 || more.some((line) => /not supported/i.test(line));
        assert.ok(isSaid, `${step.line}\n${more.join("\n")}`);
      }
    });
  }

  test("no command is left out", () => {
    const all = [...sweep, ...Object.values(refusedSteps).flat()].map(({ line }) => line.split(" ", 1)[0]);
    const missing = COMMANDS.split(" ").filter((name) => !all.includes(name) && !notSwept.includes(name));
    assert.deepEqual(missing, []);
  });
});

/** What `mqadmin` without arguments lists. */
const COMMANDS =
  "updateTopic updateTopicList deleteTopic updateSubGroup updateSubGroupList setConsumeMode deleteSubGroup updateBrokerConfig updateTopicPerm topicRoute topicStatus topicClusterList addBroker removeBroker resetMasterFlushOffset brokerStatus queryMsgById queryMsgByKey queryMsgByUniqueKey queryMsgByOffset queryMsgTraceById printMsg printMsgByQueue sendMsgStatus brokerConsumeStats producerConnection consumerConnection consumerProgress consumerStatus cloneGroupOffset producer clusterList topicList updateKvConfig deleteKvConfig wipeWritePerm addWritePerm resetOffsetByTime skipAccumulatedMessage updateOrderConf cleanExpiredCQ deleteExpiredCommitLog cleanUnusedTopic startMonitoring statsAll allocateMQ checkMsgSendRT clusterRT getNamesrvConfig updateNamesrvConfig getBrokerConfig getConsumerConfig queryCq sendMessage consumeMessage updateStaticTopic remappingStaticTopic exportMetadata exportConfigs exportMetrics exportMetadataInRocksDB exportPopRecord haStatus getSyncStateSet getBrokerEpoch getControllerMetaData getControllerConfig updateControllerConfig electMaster cleanBrokerMetadata dumpCompactionLog getColdDataFlowCtrInfo updateColdDataFlowCtrGroupConfig removeColdDataFlowCtrGroupConfig setCommitLogReadAheadMode createUser updateUser deleteUser getUser listUser copyUser createAcl updateAcl deleteAcl getAcl listAcl copyAcl rocksDBConfigToJson checkRocksdbCqWriteProgress switchTimerEngine getBrokerLiteInfo getParentTopicInfo getLiteTopicInfo getLiteClientInfo getLiteGroupInfo triggerLiteDispatch";
