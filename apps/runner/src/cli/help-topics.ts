/** Long help that belongs to no single command. */
export const helpTopics = {
  'exit-codes': `Exit codes

    0  done
    1  error
    2  wrong usage, input or configuration
    3  not found
    4  not signed in, or a key that is unknown or revoked
    5  not allowed
    6  conflict with what is there
    7  the relay cannot be reached
    8  the run failed
    9  the run was stopped or lost
   10  the run waits for a person
   11  refused by a limit; wait and try again
   12  no machine has taken the run yet
  124  it took too long
  130  interrupted

With --json an error is one object on stderr:
  {"error":{"code":"not_found","message":"…","hint":"…","requestId":"…","retryable":false}}`,

  environment: `Environment

  BATON_URL         address of the relay (else the profile's)
  BATON_TOKEN       API token bt_… (else the profile's)
  BATON_PROFILE     which connection of this machine, "default" when unset
  BATON_HOME        one folder for every file: config, state, data, cache
  BATON_PORT        port of the relay that "baton dev" starts, 4127 when unset
  BATON_NO_OPEN     "baton dev" opens no browser
  DATABASE_URL      a Postgres of your own for "baton dev" and the relay
  NO_COLOR          no colours

A flag wins over the environment, the environment over the profile's file.`,
} as const
