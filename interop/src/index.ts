/** What others in this repository use of the Java side: the measuring room starts the original beside ours. */
export { freePort } from "./free-port.ts";
export {
  type JavaServer,
  type JavaServerOptions,
  startJavaNameServer,
  startJavaServer,
} from "./java-server.ts";
export { Jvm, type JvmOptions } from "./jvm.ts";
