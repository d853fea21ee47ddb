/** Range of a TCP, UDP or SCTP port; 0 means none. */
export const PROTOCOL_PORT = { min: 0, max: 65535 };
