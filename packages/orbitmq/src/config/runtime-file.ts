/** The name of the file that keeps what was changed while a server ran (runtime-configuration.ts). */
export const RUNTIME_FILE = "orbitmq-config.json";
