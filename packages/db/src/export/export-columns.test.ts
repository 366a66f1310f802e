import { readFileSync } from 'node:fs'
import { exportRows } from '@baton/protocol'
import { expect, test } from 'vitest'

/** Columns that an export leaves out on purpose: secrets, what only this relay or unfinished work needs, and what has another name. */
const LEFT_OUT: Record<string, string[]> = {
  machines: [
    'bootId',
    'drainingAt',
    'facts',
    'goodbyeAt',
    'goodbyeCause',
    'instanceId',
    'keyHash',
    'lastHeartbeatAt',
    'organizationId',
    'sessionEpoch',
    'takenOverAt',
  ],
  agents: ['blockedReason', 'blockedMessage', 'blockedAt', 'blockedUntil', 'quotaStrikes', 'organizationId'],
  jobs: ['organizationId', 'keepRuns', 'keepDays'],
  triggers: ['organizationId', 'secrets', 'nextFireAt', 'watch'],
  events: ['organizationId'],
  outputs: ['organizationId', 'secrets'],
  dispatches: ['organizationId', 'config', 'machineId', 'fence', 'claim', 'nextAt', 'unconfirmed'],
  deliveries: [
    'organizationId',
    'fence',
    'lane',
    'parkedUntil',
    'stallMs',
    'concurrencyKey',
    'concurrencyLimit',
    'overlap',
    'overlapKey',
    'leaseExpiresAt',
    'nudge',
    'recovered',
  ],
  runs: ['organizationId', 'fence'],
  approvals: ['organizationId', 'fence', 'answeredBy'],
  agent_skills: ['organizationId'],
  agent_sessions: ['organizationId'],
  usage_days: ['organizationId'],
}
/** The kinds whose table has another name. */
const KINDS: Record<string, string> = {
  agent_skills: 'skills',
  agent_sessions: 'sessions',
  usage_days: 'usage',
}

const schema = readFileSync(new URL('../../schema.sql', import.meta.url), 'utf8')
const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

test.each(Object.keys(LEFT_OUT))('%s: every column is exported or left out on purpose', (table) => {
  const body = new RegExp(`^create table ${table} \\(([\\s\\S]*?)^\\);`, 'm').exec(schema)?.[1] ?? ''
  const columns = [...body.matchAll(/^ {2}(\w+) /gm)]
    .map((match) => match[1] ?? '')
    .filter((name) => name !== 'constraint')
  const kept = Object.keys(exportRows[(KINDS[table] ?? table) as keyof typeof exportRows].shape)
  const missing = columns
    .map(camel)
    .filter((name) => !kept.includes(name) && !LEFT_OUT[table]?.includes(name))
  expect(missing).toEqual([])
})
