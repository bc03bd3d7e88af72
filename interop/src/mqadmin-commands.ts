/**
 * The sweep: the commands of mqadmin 5.5.0, in an order in which each finds what it needs. BROKER, NAMESRV, UNIQUE,
 * PLACE and CLIENT stand for what differs between two clusters: the addresses, a message's two ids, a consumer's id; TOPICS,
 * GROUPS and FILES for files of each.
 */

export interface SweepStep {
  readonly line: string;
  /** Asked again until it prints this: what it shows follows what was done by a moment. */
  readonly until?: RegExp;
  /** Compare names only, what stands before `:` or `=`; or everything but numbers: values depend on machine and moment. */
  readonly only?: "names" | "words";
}

export const SWEEP_TOPIC = "sweep";
export const SWEEP_GROUP = "sweep-group";

const T = SWEEP_TOPIC;
const G = SWEEP_GROUP;
const run = (line: string, until?: RegExp): SweepStep => (until === undefined ? { line } : { line, until });
const names = (line: string): SweepStep => ({ line, only: "names" });
const words = (line: string): SweepStep => ({ line, only: "words" });

export const topicSteps: readonly SweepStep[] = [
  run("updateTopic -b BROKER -t made -r 4 -w 4 -p 6"),
  run("updateTopic -b BROKER -t made -r 2 -w 2 -p 4"),
  run("updateTopic -c DefaultCluster -t made-in-cluster -a +message.type=FIFO"),
  run("updateTopic -c DefaultCluster -t ordered -r 2 -w 2 -o true"),
  run("updateTopic -b BROKER -t TBW102"),
  run("updateTopic -b BROKER -t wrong/name"),
  run("updateTopicList -b BROKER -f TOPICS"),
  run("updateTopicPerm -b BROKER -t made -p 6"),
  run("updateTopicPerm -c DefaultCluster -t made -p 2"),
  run("updateTopicPerm -b BROKER -t nowhere -p 6"),
  run("updateOrderConf -t ordered -m put -v broker-a:2"),
  run("updateOrderConf -t ordered -m get"),
  run("topicRoute -t ordered"),
  run("updateOrderConf -t ordered -m delete"),
  run("topicRoute -t made"),
  run("topicRoute -l -t made"),
  run("topicRoute -t nowhere"),
  run("topicClusterList -t made"),
  run(`topicStatus -t ${T}`),
  run(`topicStatus -t ${T} -c DefaultCluster`),
  run("topicStatus -t nowhere"),
  run("allocateMQ -t sweep -i one,two"),
  run("topicList"),
  run("topicList -c"),
  run("setConsumeMode -b BROKER -t made -g made-group -m POP -q 4"),
  run("updateStaticTopic -t static -b BROKER -qn 2"),
  run("remappingStaticTopic -t static -b BROKER"),
];

export const messageSteps: readonly SweepStep[] = [
  run("updateTopic -b BROKER -t sent -r 1 -w 1"),
  run("sendMessage -t sent -p hello -k key -c tag"),
  run("sendMessage -t sent -p hello -b broker-a -i 0"),
  run("sendMessage -t sent -p hello -b broker-a -i 99"),
  run("sendMsgStatus -b broker-a -s 16 -c 3"),
  words("checkMsgSendRT -t sent -a 2 -s 8"),
  run("consumeMessage -t sent -c 1"),
  run("consumeMessage -t sent -b broker-a -i 0 -o 0 -c 1"),
  run(`queryMsgById -t ${T} -i PLACE`, /trackType=CONSUMED/),
  run(`queryMsgById -t ${T} -i PLACE -g ${G} -d CLIENT`),
  run(`queryMsgById -t ${T} -i 7F00000100002A9F0000000000ABCDEF`),
  run(`queryMsgByKey -t ${T} -k key-3`, /[0-9A-F]{32}/),
  run(`queryMsgByKey -t ${T} -k nothing`),
  run(`queryMsgByUniqueKey -t ${T} -i UNIQUE`, /trackType=CONSUMED/),
  run(`queryMsgByUniqueKey -t ${T} -i UNIQUE -a`),
  run(`queryMsgByUniqueKey -t ${T} -i UNIQUE -g ${G} -d CLIENT`),
  run(`queryMsgByOffset -t ${T} -b broker-a -i 0 -o 1`, /trackType=CONSUMED/),
  run(`queryMsgByOffset -t ${T} -b broker-a -i 0 -o 99`),
  run("queryMsgTraceById -i UNIQUE"),
  run(`printMsg -t ${T} -d true`),
  run(`printMsg -t ${T} -s tag`),
  run(`printMsgByQueue -t ${T} -a broker-a -i 0 -p true -d true -f true`),
  run(`queryCq -t ${T} -q 0 -i 0 -c 3 -b BROKER`),
  run(`queryCq -t ${T} -q 0 -i 99 -b BROKER`),
  run(`queryCq -t ${T} -q 0 -i 0 -c 3 -b BROKER -g ${G}`),
];

export const groupSteps: readonly SweepStep[] = [
  run("updateSubGroup -b BROKER -g made-group"),
  run("updateSubGroup -c DefaultCluster -g made-group -r 7 -q 2 -d true -s true"),
  run("updateSubGroup -b BROKER -g wrong/name"),
  run("updateSubGroupList -b BROKER -f GROUPS"),
  run("getConsumerConfig -g made-group"),
  run("getConsumerConfig -g nobody"),
  run(`consumerConnection -g ${G}`),
  run(`consumerConnection -g ${G} -b BROKER`),
  run("consumerConnection -g nobody"),
  run("producerConnection -g sweep-producer -t sweep"),
  run("producerConnection -g nobody -t sweep"),
  words("producer -b BROKER"),
  words(`consumerStatus -g ${G}`),
  names(`consumerStatus -g ${G} -i CLIENT`),
  run("consumerStatus -g nobody"),
  run(`consumerProgress -g ${G}`, /Diff Total: 0/),
  words(`consumerProgress -g ${G} -t ${T} -s true`),
  words("consumerProgress"),
  run("consumerProgress -g nobody"),
  run("brokerConsumeStats -b BROKER"),
  run("brokerConsumeStats -b BROKER -o true"),
  run(`cloneGroupOffset -s ${G} -d made-group -t ${T} -o true`),
  run("consumerProgress -g made-group"),
  run(`resetOffsetByTime -g made-group -t ${T} -s 0`),
  run(`resetOffsetByTime -g made-group -t ${T} -s now`),
  run(`resetOffsetByTime -g made-group -t ${T} -b broker-a -q 0 -s -1 -o 3`),
  run(`resetOffsetByTime -g ${G} -t nowhere -s 0`),
  run(`skipAccumulatedMessage -g made-group -t ${T}`),
  run("consumerProgress -g made-group"),
  words("statsAll"),
  run(`statsAll -a -t ${T}`),
  run("deleteSubGroup -b BROKER -g made-group -r true"),
  run("deleteSubGroup -b BROKER -g nobody"),
  run("getConsumerConfig -g made-group"),
];

export const serverSteps: readonly SweepStep[] = [
  words("clusterList"),
  words("clusterList -m"),
  run("clusterList -c nowhere"),
  names("brokerStatus -b BROKER"),
  names("brokerStatus -c DefaultCluster"),
  words("haStatus -b BROKER"),
  run("updateKvConfig -s space -k key -v value"),
  run("deleteKvConfig -s space -k key"),
  run("wipeWritePerm -b broker-a"),
  run("topicRoute -t sweep"),
  run("addWritePerm -b broker-a"),
  run("wipeWritePerm -b nobody"),
  run("cleanExpiredCQ -b BROKER"),
  run("cleanExpiredCQ -c DefaultCluster"),
  run("deleteExpiredCommitLog -b BROKER"),
  run("cleanUnusedTopic -b BROKER"),
  run("exportMetadata -c DefaultCluster -f FILES"),
  run("exportMetadata -b BROKER -t -f FILES"),
  run("deleteTopic -c DefaultCluster -t made"),
  run("deleteTopic -c DefaultCluster -t nowhere"),
  run("topicRoute -t made"),
];

export const configurationSteps: readonly SweepStep[] = [
  names("getBrokerConfig -b BROKER"),
  names("getBrokerConfig -c DefaultCluster"),
  run("updateBrokerConfig -b BROKER -k maxMessageSize -v 4194305"),
  run("updateBrokerConfig -b BROKER -k brokerConfigPath -v /nowhere"),
  run("updateBrokerConfig -b BROKER -k noSuchKey -v 1"),
  names("getNamesrvConfig"),
  run("updateNamesrvConfig -k clusterTest -v false"),
  run("updateNamesrvConfig -k kvConfigPath -v /nowhere"),
  run("exportConfigs -c DefaultCluster -f FILES"),
  run("exportMetrics -c DefaultCluster -f FILES"),
];

/** What is not built here, or comes with something that is not: refused, in words that reach whoever asks. */
export const refusedSteps: Readonly<Record<string, readonly SweepStep[]>> = {
  controller: [
    run("getSyncStateSet -a NAMESRV -b broker-a"),
    run("getBrokerEpoch -b broker-a"),
    run("getControllerMetaData -a NAMESRV"),
    run("getControllerConfig -a NAMESRV"),
    run("updateControllerConfig -a NAMESRV -k a -v b"),
    run("electMaster -a NAMESRV -b 0 -bn broker-a -c DefaultCluster"),
    run("cleanBrokerMetadata -a NAMESRV -b 0 -bn broker-a -c DefaultCluster"),
    run("resetMasterFlushOffset -b BROKER -o 0"),
  ],
  container: [
    run("addBroker -b FILES/none.conf -c BROKER"),
    run("removeBroker -b DefaultCluster:broker-a:0 -c BROKER"),
  ],
  coldData: [
    run("getColdDataFlowCtrInfo -b BROKER"),
    run("updateColdDataFlowCtrGroupConfig -b BROKER -g g -v 1"),
    run("removeColdDataFlowCtrGroupConfig -b BROKER -g g"),
    run("setCommitLogReadAheadMode -b BROKER -m 0"),
  ],
  acl: [
    run("createUser -b BROKER -u u -p p"),
    run("updateUser -b BROKER -u u -p q"),
    run("deleteUser -b BROKER -u u"),
    run("getUser -b BROKER -u u"),
    run("listUser -b BROKER"),
    run("copyUser -f BROKER -t BROKER"),
    run("createAcl -b BROKER -s User:u -r Topic:t -a Pub -d Allow"),
    run("updateAcl -b BROKER -s User:u -r Topic:t -a Pub -d Deny"),
    run("deleteAcl -b BROKER -s User:u"),
    run("getAcl -b BROKER -s User:u"),
    run("listAcl -b BROKER"),
    run("copyAcl -f BROKER -t BROKER"),
  ],
  rocksDb: [
    run("exportMetadataInRocksDB -p /nowhere -t topics"),
    run("rocksDBConfigToJson -b BROKER -t topics"),
    run("checkRocksdbCqWriteProgress -c DefaultCluster"),
    run("switchTimerEngine -b BROKER -e F"),
  ],
  popRecords: [run("exportPopRecord -b BROKER")],
  lite: [
    run("getBrokerLiteInfo -b BROKER"),
    run("getParentTopicInfo -p sweep"),
    run("getLiteTopicInfo -p sweep -l l"),
    run("getLiteClientInfo -p sweep -g sweep-group -c CLIENT"),
    run("getLiteGroupInfo -p sweep -g sweep-group"),
    run("triggerLiteDispatch -p sweep -g sweep-group -b BROKER"),
  ],
};

/** Commands that run until they are killed, or have nothing to ask a server for. */
export const notSwept: readonly string[] = ["startMonitoring", "clusterRT", "dumpCompactionLog"];

export const sweep: readonly SweepStep[] = [
  ...topicSteps,
  ...messageSteps,
  ...groupSteps,
  ...configurationSteps,
  ...serverSteps,
];
