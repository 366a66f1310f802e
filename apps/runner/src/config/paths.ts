import { isAbsolute, join } from 'node:path'

/** The four folders that hold every file of the runner and the command line. */
export type BatonFolders = { config: string; state: string; data: string; cache: string }

/**
 * `BATON_HOME` moves all four; otherwise they follow the XDG base directories on Linux and macOS alike. A relative
 * value is ignored, as the XDG specification asks.
 */
export function batonFolders(env: NodeJS.ProcessEnv, homeFolder: string): BatonFolders {
  if (env.BATON_HOME) {
    const home = env.BATON_HOME
    return {
      config: join(home, 'config'),
      state: join(home, 'state'),
      data: join(home, 'data'),
      cache: join(home, 'cache'),
    }
  }
  const base = (value: string | undefined, fallback: string) =>
    join(value && isAbsolute(value) ? value : join(homeFolder, fallback), 'baton')
  return {
    config: base(env.XDG_CONFIG_HOME, '.config'),
    state: base(env.XDG_STATE_HOME, '.local/state'),
    data: base(env.XDG_DATA_HOME, '.local/share'),
    cache: base(env.XDG_CACHE_HOME, '.cache'),
  }
}

export type ProfilePaths = {
  profile: string
  profileFile: string
  keyFile: string
  policyFile: string
  tokenFile: string
  stateFolder: string
  journalFile: string
  runsFolder: string
  lockFile: string
  statusFile: string
  logFile: string
  workspacesFolder: string
  /** What the relay asked to be watched, and what has happened and was not told yet. */
  watchesFile: string
  watchIndexFolder: string
  firesFolder: string
  /** What is kept of workspaces before and after runs, for comparing and undoing. */
  changesFolder: string
  worktreesFolder: string
  /** What containers of this profile share with their agents. */
  containersFolder: string
  /** What agents keep between their runs: memory, notes, skills. */
  agentsFolder: string
}

/** A profile's name becomes file names, so only letters, digits, dot, dash and underscore are allowed. */
export function isProfileName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)
}

export function profilePaths(folders: BatonFolders, profile: string): ProfilePaths {
  const named = join(folders.config, 'profiles', profile)
  const stateFolder = join(folders.state, profile)
  return {
    profile,
    profileFile: `${named}.json`,
    keyFile: `${named}.key`,
    policyFile: `${named}.policy.json`,
    tokenFile: `${named}.token`,
    stateFolder,
    journalFile: join(stateFolder, 'journal.log'),
    runsFolder: join(stateFolder, 'runs'),
    lockFile: join(stateFolder, 'runner.lock'),
    statusFile: join(stateFolder, 'runner.json'),
    logFile: join(stateFolder, 'runner.log'),
    watchesFile: join(stateFolder, 'watches.json'),
    watchIndexFolder: join(stateFolder, 'watched'),
    firesFolder: join(stateFolder, 'fires'),
    workspacesFolder: join(folders.data, profile, 'workspaces'),
    changesFolder: join(folders.data, profile, 'changes'),
    worktreesFolder: join(folders.data, profile, 'worktrees'),
    containersFolder: join(folders.data, profile, 'containers'),
    agentsFolder: join(folders.data, profile, 'agents'),
  }
}
