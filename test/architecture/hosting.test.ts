import { RELAY_PORT } from '@baton/protocol'
import { RELAY_NODE_FLAGS } from '@baton/service'
import { parseYaml } from '@redocly/openapi-core'
import { expect, test } from 'vitest'
import { createMetrics } from '../../apps/relay/src/http/metrics.ts'
import { isThere, readText, tableBelow } from './support/repository.ts'

const IMAGE = 'infra/images/relay.Dockerfile'
const COMPOSE = 'infra/compose/compose.yaml'
const KUBERNETES = 'infra/kubernetes/relay.yaml'
const UNIT = 'infra/services/baton-relay.service'

const settings = tableBelow(readText('docs/operations.md'), 'The relay').map(([name]) => name ?? '')

test('every setting in the files for hosting is one of the relay', () => {
  for (const file of [IMAGE, KUBERNETES, UNIT]) {
    const named = readText(file).match(/\b(DATABASE_URL|BATON_[A-Z_]+)\b/g) ?? []
    expect(named.length, file).toBeGreaterThan(0)
    expect(
      named.filter((name) => !settings.includes(`\`${name}\``)),
      file,
    ).toEqual([])
  }
  const { services } = parseYaml(readText(COMPOSE)) as { services: { relay: { environment: object } } }
  const given = Object.keys(services.relay.environment)
  expect(given).toEqual(expect.arrayContaining(['DATABASE_URL', 'BATON_SECRET', 'BATON_PUBLIC_URL']))
  expect(given.filter((name) => !settings.includes(`\`${name}\``))).toEqual([])
})

test('every value that the compose file asks for has its line in the example', () => {
  const example = readText('infra/compose/example.env')
  const asked = [...readText(COMPOSE).matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name)
  expect(asked.length).toBeGreaterThan(3)
  for (const name of asked) expect(example).toMatch(new RegExp(`^${name}=`, 'm'))
})

test('probes, ports and commands are those of the relay', () => {
  const relay = readText('apps/relay/src/http/http-server.ts')
  for (const file of [IMAGE, KUBERNETES, 'infra/compose/Caddyfile'])
    for (const [, path] of readText(file).matchAll(/(?<![\w:])(\/(?:livez|readyz|metrics|healthz?))\b/g))
      expect(relay, `${file} asks ${path}`).toContain(`case '${path}':`)
  // A proxy may keep it from the public, so nothing far away asks it.
  expect(readText('apps/runner/src/cli/look-at-relay.ts')).not.toContain('readyz')
  const port = `${RELAY_PORT}`
  expect(readText(IMAGE)).toContain(`EXPOSE ${port}`)
  expect(readText(KUBERNETES)).toContain(`containerPort: ${port}`)
  expect(readText('infra/compose/Caddyfile')).toContain(`relay:${port}`)
  for (const file of [IMAGE, KUBERNETES, UNIT]) expect(readText(file)).toContain('apps/relay/src/main.ts')
  for (const file of [IMAGE, UNIT])
    for (const flag of RELAY_NODE_FLAGS) expect(readText(file)).toContain(flag)
})

test('what goes into the image is in the repository, and is not left out of what is sent to the builder', () => {
  const copied = [...readText(IMAGE).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    ([, from]) => from?.split(' ') ?? [],
  )
  expect(copied.length).toBeGreaterThan(4)
  const sent = readText(`${IMAGE}.dockerignore`)
  for (const path of copied) {
    expect(isThere(path), path).toBe(true)
    expect(sent).toMatch(new RegExp(`^!${path.split('/')[0]}$`, 'm'))
  }
})

test('the stop of a relay fits into the time that each host gives it', () => {
  const limitS = Number(/STOP_LIMIT_MS = (\d+)_000/.exec(readText('apps/relay/src/main.ts'))?.[1])
  expect(limitS).toBeGreaterThan(0)
  const given = [
    /terminationGracePeriodSeconds: (\d+)/.exec(readText(KUBERNETES)),
    /stop_grace_period: (\d+)s\n\n {2}proxy/.exec(readText(COMPOSE)),
    /TimeoutStopSec=(\d+)/.exec(readText(UNIT)),
  ]
  for (const match of given) expect(Number(match?.[1])).toBeGreaterThan(limitS)
})

test('alerts and dashboards are about figures that the relay has, and all of those are documented', () => {
  const rendered = createMetrics().render({
    sockets: 0,
    runners: 0,
    deleted: {},
    figures: {
      deliveries: {},
      oldestPendingS: { online: null, away: null },
      dispatches: {},
      dispatchesLateS: 0,
      machines: {},
      recent: { runs: 0, leased: null, accepted: null },
    },
  })
  const families = [...rendered.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '')
  const { groups } = parseYaml(readText('infra/alerts/baton.rules.yaml')) as {
    groups: { rules: { expr: string }[] }[]
  }
  const { panels } = JSON.parse(readText('infra/dashboards/baton.json')) as {
    panels: { targets: { expr: string }[] }[]
  }
  const alerts = groups.flatMap((group) => group.rules)
  const shown = panels.flatMap((panel) => panel.targets)
  expect(Math.min(alerts.length, shown.length)).toBeGreaterThan(5)
  for (const { expr } of [...alerts, ...shown])
    for (const name of expr.match(/\b(baton|process|nodejs)_\w+/g) ?? [])
      expect(families, expr).toContain(name.replace(/_bucket$/, ''))
  const operations = readText('docs/operations.md')
  const unsaid = families.filter((name) => !name.startsWith('process_') && !operations.includes(`\`${name}`))
  expect(unsaid).toEqual([])
})
