import { execFile } from 'node:child_process'
import { BatonError } from '@baton/protocol'
import { relayEntryFile } from '../entry.ts'

export type SetupRequest = {
  organization: string
  userName: string
  machineName: string
  wantMachineKey: boolean
  wantToken: boolean
  wantLink: boolean
}
export type SetupAnswer = {
  organizationId: string
  userId: string
  machineId: string
  machineKey?: string
  token?: string
  linkUrl?: string
}

/** `relay setup`: the organization, its owner, this machine and what they need to sign in. Secrets go through pipes only. */
export function runSetup(relayEnv: NodeJS.ProcessEnv, request: SetupRequest): Promise<SetupAnswer> {
  return new Promise((resolve, reject) => {
    const args = [relayEntryFile, 'setup', '--json']
    const child = execFile(
      process.execPath,
      args,
      { env: relayEnv, timeout: 60_000 },
      (error, stdout, stderr) => {
        if (!error) return resolve(JSON.parse(stdout) as SetupAnswer)
        reject(
          new BatonError('internal', `Setting up the relay failed: ${stderr.trim() || error.message}`, {
            cause: error,
          }),
        )
      },
    )
    child.stdin?.end(JSON.stringify(request))
  })
}
