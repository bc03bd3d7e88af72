/**
 * UPDATE_BROKER_CONFIG (25), GET_BROKER_CONFIG (26), UPDATE_NAMESRV_CONFIG (318), GET_NAMESRV_CONFIG (319): what a
 * server is configured with.
 *
 *   25, 318   body      java.util.Properties text (see java-properties) of what is to change
 *   26, 319   body      the same of everything; 26 has the response header
 *   response  version?      of 26: a DataVersion, which advances with every change
 */
import { defineHeader, type HeaderValue, optional, string } from "../frame/header-schema.ts";

export const getBrokerConfigResponseHeader = defineHeader("GetBrokerConfigResponseHeader", {
  version: optional(string()),
});
export type GetBrokerConfigResponseHeader = HeaderValue<typeof getBrokerConfigResponseHeader>;
