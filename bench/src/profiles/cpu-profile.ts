/** A profile of V8's, as its inspector hands it over, and what the probe in the server measured beside it. */

export interface CallFrame {
  readonly functionName: string;
  /** Empty of what is native; `node:…` of Node's own. */
  readonly url: string;
  /** Where the function begins, from 0. */
  readonly lineNumber: number;
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Of each sample: the node whose frame was on top. */
  readonly samples: readonly number[];
  /** Microseconds from the sample before; of the first, from before the profiler was ready. */
  readonly timeDeltas: readonly number[];
}

/** The event loop's thread under load. */
export interface ProfiledStretch {
  /** On a core. */
  readonly coreUs: number;
  /** Ready, but without a core. */
  readonly readyUs: number;
  readonly profile: CpuProfile;
}
