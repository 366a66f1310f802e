import { otherSessionId, outsideShell, partial, type Situation, sessionId, thirdTick } from './situations.ts'

/** One-way mode: the prompt is the whole input. */
export const oneWay: Situation[] = [
  { name: 'plain-answer', shows: 'one text block', prompt: '@say Hello from the model.' },
  {
    name: 'write-file',
    shows: 'a tool call that makes a file',
    prompt: '@say I write it.\n@write notes.txt <<< one\\ntwo\n@say Written.',
  },
  {
    name: 'edit-file',
    shows: 'a tool call that changes a file',
    prompt: '@write README.md <<< # Shop, changed',
  },
  {
    name: 'shell',
    shows: 'a command that succeeds',
    argv: ['--allowedTools', 'Bash'],
    prompt: '@shell echo hi; echo warn >&2',
  },
  {
    name: 'shell-fails',
    shows: 'a command with exit code 3',
    argv: ['--allowedTools', 'Bash'],
    prompt: '@shell echo partly; exit 3\n@say It failed.',
  },
  {
    name: 'tool-refused',
    shows: 'a refusal without a person to ask: permission_denied, permission_denials, exit 0',
    prompt: outsideShell,
  },
  {
    name: 'searched-tool',
    shows: 'ToolSearch before a tool that is not offered at first',
    prompt: '@tool WebFetch {"url":"http://127.0.0.1:9/","prompt":"x"}\n@say No.',
  },
  {
    name: 'subagent',
    shows: 'events of a subagent with parent_tool_use_id',
    prompt:
      '@tool Agent {"description":"Look around","prompt":"@shell ls\\n@say Seen.","subagent_type":"general-purpose"}\n@say The subagent is back.',
  },
  {
    name: 'thinking',
    shows: 'a thinking block before the text',
    prompt: '@think First I look at it.\n@say Then I answer.',
  },
  {
    name: 'slow-stream',
    shows: 'stream_event lines of a slow answer',
    argv: partial,
    prompt: '@slow 5x100ms tick',
  },
  { name: 'usage', shows: 'token counts and cost', prompt: '@usage 12000 345\n@shell ls\n@say Counted.' },
  {
    name: 'max-turns',
    shows: 'the turn limit: error_max_turns, exit 1',
    argv: ['--max-turns', '2'],
    prompt: '@shell ls\n@shell pwd\n@shell date\n@say Never said.',
  },
  { name: 'api-400', shows: 'an API error that is final', prompt: '@fail 400' },
  { name: 'api-401', shows: 'a wrong key, retried once, then exit 1', prompt: '@fail 401' },
  { name: 'api-429-once', shows: 'a retry that helps', prompt: '@fail 429 1\n@say Through.' },
  { name: 'api-529', shows: 'an overloaded API', prompt: '@fail 529' },
  {
    name: 'stream-cut',
    shows: 'a connection dropped in the middle of an answer',
    prompt: '@say Half an\n@wait 200\n@cut',
  },
  {
    name: 'unreachable',
    shows: 'nothing listens at the base URL',
    env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' },
    prompt: '@say Never.',
  },
  {
    name: 'not-signed-in',
    shows: 'no key and no login',
    env: { ANTHROPIC_API_KEY: '' },
    prompt: '@say Never.',
  },
  {
    name: 'resume',
    shows: 'a second prompt in a session: the model has seen two',
    before: '@say Remember me.',
    argv: ['--resume', sessionId],
    prompt: 'How many prompts?',
  },
  {
    name: 'resume-unknown',
    shows: 'a session id that is not there',
    argv: ['--resume', otherSessionId],
    prompt: '@say Never.',
  },
  {
    name: 'session-id-in-use',
    shows: 'a chosen session id that exists',
    before: '@say First.',
    prompt: '@say Never.',
  },
  {
    name: 'two-results',
    shows: 'a background command brings a second turn and a second result',
    env: { CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '' },
    argv: ['--allowedTools', 'Bash'],
    prompt:
      '@tool Bash {"command":"sleep 1; echo late","description":"Wait","run_in_background":true}\n@say Started.',
  },
  {
    name: 'sigint',
    shows: 'SIGINT in the middle of an answer: exit 0 with an error result',
    argv: partial,
    drive: async (claude) => {
      claude.end('@slow 600x100ms tick')
      await thirdTick(claude)
      claude.process.kill('SIGINT')
    },
  },
  {
    name: 'sigterm',
    shows: 'SIGTERM in the middle of an answer: no result',
    argv: partial,
    drive: async (claude) => {
      claude.end('@slow 600x100ms tick')
      await thirdTick(claude)
      claude.process.kill('SIGTERM')
    },
  },
]
