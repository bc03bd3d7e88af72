/**
 * CLONE_GROUP_OFFSET (314): a group takes over another's offsets.
 *
 *   request   srcGroup destGroup topic? offline?        no topic: all the source has offsets of
 *   response  nothing
 */
import { bool, defineHeader, type HeaderValue, name, optional } from "../frame/header-schema.ts";

export const cloneGroupOffsetRequestHeader = defineHeader("CloneGroupOffsetRequestHeader", {
  srcGroup: name(),
  destGroup: name(),
  topic: optional(name()),
  /** Whether topics count that the source is online for and does not subscribe to; absent means false. */
  offline: optional(bool()),
});
export type CloneGroupOffsetRequestHeader = HeaderValue<typeof cloneGroupOffsetRequestHeader>;
