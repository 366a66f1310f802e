/** The defaults of DESIGN section 7. Durations in milliseconds, sizes in bytes. */

/** Raised when a message changes its meaning; the relay names the oldest it still understands. */
export const PROTOCOL_VERSION = 1
export const OLDEST_PROTOCOL_VERSION = 1

export const LEASE_MS = 30_000
export const RENEW_EVERY_MS = 10_000
export const ACCEPT_WITHIN_MS = 10_000
export const SWEEP_EVERY_MS = 1_000
export const HEARTBEAT_EVERY_MS = 15_000
export const OFFLINE_AFTER_MS = 2 * HEARTBEAT_EVERY_MS

/** Close codes of a WebSocket whose token ran out, and whose key, token or session was revoked or changed. */
export const CLOSE_TOKEN_EXPIRED = 4401
export const CLOSE_REVOKED = 4403

export const RECONNECT_BASE_MS = 500
export const RECONNECT_CAP_MS = 30_000
export const RECONNECT_RESET_AFTER_MS = 10_000

export const SILENCE_LIMIT_MS = 30 * 60_000
export const MACHINE_SLOTS = 5
export const MAX_ATTEMPTS = 3
export const RETRY_BASE_MS = 5_000
export const KILL_GRACE_MS = 10_000

export const INTAKE_BODY_BYTES = 1024 * 1024
export const GITHUB_BODY_BYTES = 25 * 1024 * 1024
export const SIGNATURE_TOLERANCE_MS = 300_000
export const DEDUPLICATION_MS = 72 * 3_600_000
export const BACKLOG_PER_MACHINE = 100_000

/** A run event's encoded text is never longer; longer output is cut into several. */
export const RUN_EVENT_BYTES = 64 * 1024
/** What one `append` may carry: its events' texts together. Kept under the socket's maxPayload of 1 MiB. */
export const APPEND_BYTES = 512 * 1024
export const SOCKET_PAYLOAD_BYTES = 1024 * 1024
export const SOCKET_BUFFER_BYTES = 1024 * 1024
/** Output kept of one run: this much from its start, then a tail of OUTPUT_TAIL_BYTES; what is between is counted and hashed. */
export const OUTPUT_HEAD_BYTES = 64 * 1024 * 1024
export const OUTPUT_TAIL_BYTES = 1024 * 1024
export const PROMPT_BYTES = 256 * 1024
/** A pushed delivery carries the event's body up to this size; a larger one is fetched. */
export const PUSHED_BODY_BYTES = 256 * 1024

export const RELAY_PORT = 4127
export const RUNNER_PORT = 4137
