/**
 * Every way in which mqadmin and the Dashboard's calls show something else of OrbitMQ than of the original with the same
 * data. A line that differs and is not here fails the sweep, and so does one here that does not differ any more.
 */

export interface ExplainedDifference {
  /** Beginning of the command, or `dashboard: ` and the call's name. */
  readonly command: string;
  /** Lines only OrbitMQ prints. */
  readonly ours?: RegExp;
  /** Lines only the original prints. */
  readonly theirs?: RegExp;
  readonly why: string;
}

const ROCKSDB_TOPICS = "the original has two topics for transactions kept in RocksDB";
const MORE_STATUS = "OrbitMQ tells more of its files and timers, and one rate also by the name it had in 4.x";

export const explainedDifferences: readonly ExplainedDifference[] = [
  { command: "topicList", theirs: /RMQ_SYS_ROCKSDB_/, why: ROCKSDB_TOPICS },
  { command: "statsAll", theirs: /^RMQ_SYS_ROCKSDB_/, why: ROCKSDB_TOPICS },
  { command: "dashboard: all topics", theirs: /^RMQ_SYS_ROCKSDB_/, why: ROCKSDB_TOPICS },
  { command: "wipeWritePerm -b broker-a", ours: /OK, \d+$/, theirs: /OK, \d+$/, why: ROCKSDB_TOPICS },
  { command: "addWritePerm -b broker-a", ours: /OK, \d+$/, theirs: /OK, \d+$/, why: ROCKSDB_TOPICS },
  {
    command: "queryCq -t sweep -q 0 -i 99",
    ours: /^(Queue data:|max: 11, min: 0|RULE)$/,
    why: "where there is no such offset the original tells nothing, not even which there are",
  },
  {
    command: "getBrokerConfig",
    ours: /^\w+$/,
    theirs: /^\w+$/,
    why: "each tells the keys it has; docs/configuration.md lists those that mean nothing here",
  },
  { command: "getNamesrvConfig", ours: /^namesrvPort$/, theirs: /^\w+$/, why: "each tells the keys it has" },
  {
    command: "updateBrokerConfig -b BROKER -k noSuchKey",
    ours: /CODE: 29 DESC: nothing was changed: noSuchKey is no key/,
    theirs: /success/,
    why: "a key that nobody has is refused by name, and not passed over in silence",
  },
  {
    command: "updateNamesrvConfig -k clusterTest",
    ours: /CODE: 29 DESC: nothing was changed: clusterTest is no key/,
    theirs: /^(update name server config success|clusterTest : false)/,
    why: "so is a key of the original's that means nothing here",
  },
  {
    command: "brokerStatus",
    ours: /^(BROKER )?((commitLog|consumeQueue|index)\w+|timer\w+|getTransferedTps)$/,
    theirs: /^(BROKER )?commitLogDiskRatio_PATH$/,
    why: `${MORE_STATUS}; its log lies in one folder only`,
  },
  {
    command: "dashboard: broker runtime",
    ours: /^((commitLog|consumeQueue|index)\w+|timer\w+|getTransferedTps)$/,
    theirs: /^commitLogDiskRatio_/,
    why: MORE_STATUS,
  },
];

/** Why whole families of commands are refused. */
export const refusals: Readonly<Record<string, string>> = {
  controller: "there is no controller, and no slave: one broker is its own master",
  container: "a broker is a process of its own, in no container",
  coldData: "reads of old messages have a lane of their own and are not limited by group",
  acl: "users and access control lists come with security; the original without them fails with 1",
  rocksDb: "nothing is kept in RocksDB",
  popRecords: "pops are kept in the revive topic only",
  lite: "lite topics of 5.5 are not built",
};
