/**
 * What an API token may do, besides what its person's role allows. `read`: look. `run`: start, stop, steer and answer.
 * `write`: change jobs, agents, triggers and outputs. `admin`: machines' keys, secrets, tokens, integrations, retention,
 * and taking data out or in.
 */
export const TOKEN_SCOPES = ['read', 'run', 'write', 'admin'] as const
export type TokenScope = (typeof TOKEN_SCOPES)[number]
