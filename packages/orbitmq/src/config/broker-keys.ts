/**
 * Keys of RocketMQ's configuration that OrbitMQ reads, checks and then does nothing with, by reason. They are
 * listed so that a broker.conf written for RocketMQ starts as it is, with one warning per key instead of an
 * error or a silence. Per line: key, kind, RocketMQ's own default (`-` for none).
 *
 * A key moves from here to supported-keys.ts when it gets an effect.
 */

/** reason → lines */
export const inertKeys: Readonly<Record<string, string>> = {
  "access control and TLS are not built yet": `
    clusterName text -
    authConfigPath text -
    authenticationProvider text -
    authenticationMetadataProvider text -
    authenticationStrategy text -
    authenticationWhitelist text -
    initAuthenticationUser text -
    innerClientAuthenticationCredentials text -
    authorizationProvider text -
    authorizationMetadataProvider text -
    authorizationStrategy text -
    authorizationWhitelist text -
    userCacheMaxNum int 1000
    userCacheExpiredSecond int 600
    userCacheRefreshSecond int 60
    aclCacheMaxNum int 1000
    aclCacheExpiredSecond int 600
    aclCacheRefreshSecond int 60
    statefulAuthenticationCacheMaxNum int 10000
    statefulAuthenticationCacheExpiredSecond int 60
    statefulAuthorizationCacheMaxNum int 10000
    statefulAuthorizationCacheExpiredSecond int 60
    tls.enable text -
    tls.config.file text -
    tls.server.need.client.auth text -
    tls.server.keyPath text -
    tls.server.keyPassword text -
    tls.server.certPath text -
    tls.server.authClient text -
    tls.server.trustCertPath text -
    tls.client.keyPath text -
    tls.client.keyPassword text -
    tls.client.certPath text -
    tls.client.authServer text -
    tls.client.trustCertPath text -
    tls.test.mode.enable flag true
  `,
  "there is no RocksDB store; queues and settings are RocketMQ's files": `
    popConsumerFSServiceInit flag true
    popConsumerKVServiceLog flag false
    popConsumerKVServiceInit flag false
    popConsumerKVServiceEnable flag false
    cleanRocksDBDirtyCQIntervalMin int 60
    statRocksDBCQIntervalSec int 10
    memTableFlushIntervalMs int 3600000
    realTimePersistRocksDBConfig flag true
    enableRocksDBLog flag false
    combineCQLoadingCQTypes text default;defaultRocksDB
    combineCQPreferCQType text default
    combineAssignOffsetCQType text default
    combineCQEnableCheckSelf flag false
    combineCQMaxExtraSearchCommitLogFiles int 3
    bottomMostCompressionTypeForConsumeQueueStore text zstd
    rocksdbCompressionType text lz4
    rocksdbFlushWalFrequency int 1024
    rocksdbWalFileRollingThreshold int 1073741824
  `,
  "sizes Java's thread pools and queues; handlers run on the event loop, limits are OrbitMQ's own": `
    sendMessageThreadPoolNums int min(cores,4)
    putMessageFutureThreadPoolNums int min(cores,4)
    pullMessageThreadPoolNums int 16+cores*2
    litePullMessageThreadPoolNums int 16+cores*2
    ackMessageThreadPoolNums int 16
    processReplyMessageThreadPoolNums int 16+cores*2
    queryMessageThreadPoolNums int 8+cores
    adminBrokerThreadPoolNums int 16
    clientManageThreadPoolNums int 32
    consumerManageThreadPoolNums int 32
    loadBalanceProcessorThreadPoolNums int 32
    heartbeatThreadPoolNums int min(32,cores)
    recoverThreadPoolNums int 32
    endTransactionThreadPoolNums int max(8+2*cores,4*sendMessageThreadPoolNums)
    sendThreadPoolQueueCapacity int 10000
    putThreadPoolQueueCapacity int 10000
    pullThreadPoolQueueCapacity int 100000
    litePullThreadPoolQueueCapacity int 100000
    ackThreadPoolQueueCapacity int 100000
    replyThreadPoolQueueCapacity int 10000
    queryThreadPoolQueueCapacity int 20000
    clientManagerThreadPoolQueueCapacity int 1000000
    consumerManagerThreadPoolQueueCapacity int 1000000
    heartbeatThreadPoolQueueCapacity int 50000
    endTransactionPoolQueueCapacity int 100000
    adminBrokerThreadPoolQueueCapacity int 10000
    loadBalanceThreadPoolQueueCapacity int 100000
    brokerFastFailureEnable flag true
    waitTimeMillsInSendQueue int 200
    waitTimeMillsInPullQueue int 5000
    waitTimeMillsInLitePullQueue int 5000
    waitTimeMillsInHeartbeatQueue int 31000
    waitTimeMillsInTransactionQueue int 3000
    waitTimeMillsInAckQueue int 3000
    waitTimeMillsInAdminBrokerQueue int 5000
    compactionThreadNum int 6
    timerGetMessageThreadNum int 3
    timerPutMessageThreadNum int 3
    dispatchCqThreads int 10
    dispatchCqCacheNum int 4096
    dispatchFromSenderThread flag false
    batchDispatchRequestThreadPoolNums int 16
    serverWorkerThreads int 8
    serverCallbackExecutorThreads int 0
    serverSelectorThreads int 3
    serverOnewaySemaphoreValue int 256
    serverAsyncSemaphoreValue int 64
    serverNettyWorkerGroupEnable flag true
    clientWorkerThreads int -
    clientCallbackExecutorThreads int cores
    clientOnewaySemaphoreValue int -
    clientAsyncSemaphoreValue int -
    disableCallbackExecutor flag false
    disableNettyWorkerGroup flag false
  `,
  "tunes Java's mapped files, locks and buffers": `
    transferMsgByHeap flag true
    compactionMappedFileSize int 104857600
    compactionCqMappedFileSize int 10485760
    timerWarmEnable flag false
    mappedFileSizeConsumeQueueExt int 50331648
    commitIntervalCommitLog int 200
    useReentrantLockWhenPutMessage flag true
    flushCommitLogTimed flag true
    destroyMapedFileIntervalForcibly int 120000
    commitCommitLogLeastPages int 4
    flushLeastPagesWhenWarmMapedFile int 4096
    flushConsumeQueueLeastPages int 2
    commitCommitLogThoroughInterval int 200
    warmMapedFileEnable flag false
    debugLockEnable flag false
    osPageCacheBusyTimeOutMills int 1000
    transientStorePoolEnable flag false
    transientStorePoolSize int 5
    fastFailIfNoBufferInStorePool flag false
    writeWithoutMmap flag false
    travelCqFileNumWhenGetMessage int 1
    mappedFileSwapEnable flag true
    commitLogForceSwapMapInterval int 43200000
    commitLogSwapMapInterval int 3600000
    commitLogSwapMapReserveFileNum int 100
    logicQueueForceSwapMapInterval int 43200000
    logicQueueSwapMapInterval int 3600000
    cleanSwapedMapInterval int 300000
    logicQueueSwapMapReserveFileNum int 20
    wakeCommitWhenPutMessage flag true
    wakeFlushWhenPutMessage flag false
    dataReadAheadEnable flag true
    accessMessageInMemoryHotRatio int 26
    topicQueueLockNum int 32
    readUnCommitted flag false
    putConsumeQueueDataByFileChannel flag true
    spinLockCollisionRetreatOptimalDegree int 1000
    useABSLock flag false
    serverSocketSndBufSize int -
    serverSocketRcvBufSize int -
    writeBufferHighWaterMark int -
    writeBufferLowWaterMark int -
    serverSocketBacklog int -
    serverPooledByteBufAllocatorEnable flag true
    useEpollNativeSelector flag false
    clientSocketSndBufSize int -
    clientSocketRcvBufSize int -
    clientPooledByteBufAllocatorEnable flag false
  `,
  "replication is not built yet": `
    slaveReadEnable flag false
    brokerHeartbeatInterval int 1000
    brokerNotActiveTimeoutMillis int 10000
    syncBrokerMemberGroupPeriod int 1000
    cleanOfflineBrokerInterval int 30000
    enableSlaveActingMaster flag false
    enableRemoteEscape flag false
    skipPreOnline flag false
    lockInStrictMode flag false
    controllerAddr text -
    fetchControllerAddrByDnsLookup flag false
    syncBrokerMetadataPeriod int 5000
    checkSyncStateSetPeriod int 5000
    syncControllerMetadataPeriod int 10000
    controllerHeartBeatTimeoutMills int 10000
    brokerElectionPriority int 2147483647
    storePathEpochFile text -
    storePathBrokerIdentity text -
    haListenPort int 10912
    haSendHeartbeatInterval int 5000
    haHousekeepingInterval int 20000
    haTransferBatchSize int 32768
    haMasterAddress text -
    haMaxGapNotInSync int 268435456
    slaveTimeout int 3000
    offsetCheckInSlave flag false
    duplicationEnable flag false
    dLegerGroup text -
    dLegerPeers text -
    dLegerSelfId text -
    preferredLeaderId text -
    enableAutoInSyncReplicas flag false
    haFlowControlEnable flag false
    haMaxTimeSlaveNotCatchup int 15000
    syncMasterFlushOffsetWhenStartup flag false
    maxChecksumRange int 1073741824
    replicasPerDiskPartition int 1
    maxSlaveResendLength int 268435456
    syncFromLastFile flag false
    asyncLearner flag false
  `,
  "checkpoints of popped messages are kept and brought back in another way than RocketMQ's": `
    popPollingMapSize int 100000
    popPollingMapExpireTimeSeconds int 600
    reviveInterval int 1000
    reviveMaxSlow int 3
    reviveScanTime int 10000
    enableSkipLongAwaitingAck flag false
    reviveAckWaitMs int 180000
    enablePopLog flag false
    enablePopBufferMerge flag false
    popCkStayBufferTime int 10000
    popCkStayBufferTimeOut int 3000
    popCkMaxBufferSize int 200000
    popCkOffsetMaxQueueSize int 20000
    enablePopBatchAck flag false
    popLongPollingForceNotifyInterval int 800
    enableNotifyBeforePopCalculateLag flag true
    enableNotifyAfterPopOrderLockRelease flag true
    popReviveMaxReturnSizePerRead int 16384
    popReviveMaxAttemptTimes int 16
    enablePopMetrics flag true
    popResponseReturnActualRetryTopic flag false
    popInflightMessageThreshold int 10000
    enablePopMessageThreshold flag false
    skipWhenCKRePutReachMaxTimes flag false
    appendAckAsync flag false
    appendCkAsync flag false
    loadBalancePollNameServerInterval int 30000
  `,
  "there are no files of transaction metrics": `
    transactionMetricFlushInterval int 10000
    enableTransactionMetrics flag true
  `,
  "delayed messages are always delivered asynchronously, as many at a time as the disk takes": `
    enableScheduleAsyncDeliver flag false
    scheduleAsyncDeliverMaxPendingLimit int 2000
    scheduleAsyncDeliverMaxResendNum2Blocked int 3
    enableScheduleMessageStats flag true
  `,
  "timed messages are delivered to the second, by one thread, and tried again until it succeeds": `
    timerPrecisionMs int 1000
    timerEnableDisruptor flag false
    timerEnableCheckMetrics flag true
    timerInterceptDelayLevel flag false
    disappearTimeAfterStart int -1
    timerStopEnqueue flag false
    timerCheckMetricsWhen text 05
    timerSkipUnknownError flag false
    timerStopDequeue flag false
    timerEnableRetryUntilSuccess flag false
    timerMetricSmallThreshold int 1000000
    timerProgressLogIntervalMs int 10000
    timerColdDataCheckIntervalMs int 60000
  `,
  "one budget per disk: a ratio counts for the whole disk, files are deleted by their own rules": `
    diskFallRecorded flag true
    maxBatchDeleteFilesNum int 50
    logicalDiskSpaceCleanForciblyThreshold decimal 0.8
  `,
  "there are no bit maps beside the queues: a SQL92 filter looks at every message": `
    enableCalcFilterBitMap flag false
    expectConsumerNumUseFilter int 32
    maxErrorRateOfBloomFilter int 20
  `,
  "messages that come back to a group are not filtered again": `
    filterSupportRetry flag false
  `,
  "all metrics are counted, it costs next to nothing; metricsExporterType says where they go": `
    enableRemotingMetrics flag true
    enableMessageStoreMetrics flag true
    enableConnectionMetrics flag true
    enableStatsMetrics flag true
    enableRequestMetrics flag true
    enableLagAndDlqMetrics flag true
  `,
  "these statistics do not exist": `
    commercialBaseCount int 1
    commercialSizePerMsg int 4096
    accountStatsEnable flag true
    accountStatsPrintZeroValues flag true
    maxStatsIdleTimeInMinutes int -1
    enableDetailStat flag true
    autoDeleteUnusedStats flag true
    printChannelGroups flag false
    printChannelGroupsMinNum int 5
    enableLmqStats flag false
    sampleCountThreshold int 5000
    sampleSteps int 32
  `,
  "belongs to a feature that is not built yet": `
    rejectPullConsumerEnable flag false
    enableBroadcastOffsetStore flag true
    broadcastOffsetExpireSecond int 120
    broadcastOffsetExpireMaxSecond int 300
    useStaticSubscription flag false
    coldCtrStrategyEnable flag false
    usePIDColdCtrStrategy flag true
    cgColdReadThreshold int 3145728
    globalColdReadThreshold int 104857600
    enableSingleTopicRegister flag false
    enableMixedMessageType flag false
    enableSplitRegistration flag false
    enableSplitMetadata flag true
    splitMetadataSize int 2000
    splitRegistrationSize int 800
    compactionScheduleInternal int 900000
    maxOffsetMapSize int 104857600
    enableCompaction flag true
    enableConsumeQueueExt flag false
    mapperFileSizeBatchConsumeQueue int 13800000
    bitMapLengthConsumeQueueExt int 64
    enableBatchPush flag false
    enableLmq flag false
    enableMultiDispatch flag false
    maxLmqConsumeQueueNum int 20000
    coldDataFlowControlEnable flag false
    coldDataScanEnable flag false
  `,
  "not adjustable in OrbitMQ": `
    rocketmqHome text -
    brokerIP2 text -
    recoverConcurrently flag false
    messageStorePlugIn text -
    flushConsumerOffsetHistoryInterval int 60000
    fetchNameSrvAddrByDnsLookup flag false
    fetchNamesrvAddrByAddressServer flag false
    highSpeedMode flag false
    sendHeartbeatTimeoutMillis int 1000
    disableConsumeIfConsumerReadSlowly flag false
    consumerFallbehindThreshold int 17179869184
    startAcceptSendRequestTimeStamp int 0
    compressedRegister flag false
    forceRegister flag true
    updateNameServerAddrPeriod int 120000
    enableNetWorkFlowControl flag false
    realTimeNotifyConsumerChange flag true
    litePullMessageEnable flag true
    isolateLogEnable flag false
    forwardTimeout int 3000
    asyncSendEnable flag true
    compatibleWithOldNameSrv flag true
    validateSystemTopicWhenUpdateTopic flag true
    subscriptionExpiredTimeout int 600000
    estimateAccumulation flag true
    fetchNamesrvAddrInterval int 10000
    enableFastChannelEventProcess flag false
    configBlackList text configBlackList;brokerConfigPath
    clearRetryTopicWhenDeleteTopic flag true
    enableRegisterProducer flag true
    enableCreateSysGroup flag true
    storePathDLedgerCommitLog text -
    maxRecoveryCommitlogFiles int 30
    checkCRCOnRecover flag true
    putMsgIndexHightWater int 600000
    messageIndexSafe flag false
    putMessageTimeout int 8000
    enableAsyncReput flag true
    recheckReputOffsetFromCq flag false
    maxTopicLength int 127
    autoMessageVersionOnTopicLen flag true
    enableRunningFlagsInFlush flag false
    correctLogicMinOffsetSleepInterval int 1
    correctLogicMinOffsetForceInterval int 300000
    searchBcqByCacheEnable flag true
    enableCleanExpiredOffset flag false
    maxAsyncPutMessageRequests int 5000
    pullBatchMaxMessageCount int 160
    maxHaTransferByteInSecond int 104857600
    maxConsumeQueueScan int 20000
    enableBuildConsumeQueueConcurrently flag false
    enableAcceleratedRecovery flag false
    enableLogConsumeQueueRepeatedlyBuildWhenRecover flag false
    enableShutdownGracefully flag false
    shutdownWaitTimeSeconds int 30
    connectTimeoutMillis int -
    channelNotActiveInterval int 60000
    isScanAvailableNameSrv flag true
    clientChannelMaxIdleTimeSeconds int -
    clientCloseSocketIfTimeout flag -
    socksProxyConfig text {}
    maxReconnectIntervalTimeSeconds int 60
    enableReconnectForGoAway flag true
    isBrokerContainer flag false
    isInBrokerContainer flag false
  `,
};

/** The same for namesrv.conf. */
export const inertNamesrvKeys: Readonly<Record<string, string>> = {
  "sizes Java's thread pools and queues; handlers run on the event loop, limits are OrbitMQ's own": `
    clientRequestThreadPoolNums int 8
    defaultThreadPoolNums int 16
    clientRequestThreadPoolQueueCapacity int 50000
    defaultThreadPoolQueueCapacity int 10000
    unRegisterBrokerQueueCapacity int 3000
    serverWorkerThreads int 8
    serverCallbackExecutorThreads int 0
    serverSelectorThreads int 3
    serverOnewaySemaphoreValue int 256
    serverAsyncSemaphoreValue int 64
    useEpollNativeSelector flag false
  `,
  "replication is not built yet": `
    supportActingMaster flag false
    notifyMinBrokerIdChanged flag false
  `,
  "not adjustable in OrbitMQ": `
    rocketmqHome text -
    configStorePath text ~/namesrv/namesrv.properties
    productEnvName text center
    clusterTest flag false
    needWaitForService flag false
    waitSecondsForService int 45
    deleteTopicWithBrokerRegistration flag false
    configBlackList text configBlackList;configStorePath;kvConfigPath
  `,
};
