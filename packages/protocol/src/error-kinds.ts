/** The closed list of causes for which a run fails, each with what a person can do about it. */
export const ERROR_KINDS = {
  agent_missing: 'Install the agent on that machine, or give the job another agent.',
  not_signed_in: 'Sign the agent in on that machine, then resume the agent; its work waits.',
  quota:
    'The account behind the agent is used up; its work goes on by itself at the shown time, or resume the agent with another account.',
  api_error: "The model's service refused or failed; run it again later.",
  session_lost:
    'The conversation to go on with is gone on that machine; it is started afresh by itself, once.',
  budget: 'The budget of this run is used up; raise the budget or split the work.',
  permission_denied:
    'The agent asked for something it may not do; widen its permissions or change the prompt.',
  timeout_silence:
    'The agent printed nothing for too long; raise the silence limit or look at its last lines.',
  timeout_wall: 'The run took longer than its limit; raise the limit or split the work.',
  crashed: 'The agent ended with an error; read the end of its output.',
  killed: 'Something outside Baton ended the agent, or the machine restarted; run it again.',
  workspace: 'Mend the workspace on that machine, then run it again.',
  container: 'Mend the container or sandbox on that machine, then run it again.',
  policy: "That machine's policy file decides what runs there; its owner can change it.",
  disk_full: 'The disk of that machine is full; free some space, then run it again.',
  lost: 'The machine lost this run (its files are gone or it was reinstalled); run it again.',
  too_old: 'The runner on that machine is older than the relay understands; update it.',
  internal: 'Baton itself failed; the message says where. Please report it.',
} as const

export type ErrorKind = keyof typeof ERROR_KINDS
export const ERROR_KIND_NAMES = Object.keys(ERROR_KINDS) as [ErrorKind, ...ErrorKind[]]
