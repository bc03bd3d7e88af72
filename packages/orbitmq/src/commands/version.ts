/** The version that commands and banner tell. */

/** Replaced by the build with the package's version. */
declare const ORBITMQ_VERSION: string | undefined;
export const version = typeof ORBITMQ_VERSION === "string" ? ORBITMQ_VERSION : "0.0.0-source";
