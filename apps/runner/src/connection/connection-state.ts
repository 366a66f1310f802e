/** What the connection is doing now, for `baton status`. `sentence` says it to a person, with the cause of trouble. */
export type ConnectionState = {
  state: 'connecting' | 'online' | 'waiting' | 'refused' | 'stopped'
  via: 'websocket' | 'http' | null
  /** Wall clock, ms since 1970. */
  since: number
  failures: number
  nextTryAt: number | null
  sentence: string
}
