import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './index.ts'
import { isAlive } from './postmaster-pid.ts'

let folder: string
let dir: string
let started: EmbeddedPostgres[]

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'baton-embedded-'))
  dir = path.join(folder, 'data')
  started = []
})

afterEach(async () => {
  for (const server of started) await server.stop()
  fs.rmSync(folder, { recursive: true, force: true })
})

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dir, database: 'baton', ...options })
  started.push(server)
  return server
}

async function query<T>(url: string, text: string): Promise<T[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return (await sql.unsafe(text)) as unknown as T[]
  } finally {
    await sql.end()
  }
}

async function ended(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 5_000, interval: 10 }).toBe(false)
}

test('a first start makes the data folder, the named database and a password that only its owner reads', async () => {
  const server = await start()
  expect(server.adopted).toBe(false)
  expect(await query(server.url, 'select current_database() as name')).toEqual([{ name: 'baton' }])
  expect(fs.statSync(`${dir}.password`).mode & 0o777).toBe(0o600)
  expect(fs.readdirSync(folder).filter((name) => name.includes('draft'))).toEqual([])
})

test('a second start finds the rows again, on the same port', async () => {
  const first = await start()
  await query(first.url, 'create table kept (id int); insert into kept values (1), (2)')
  await first.stop()
  const second = await start()
  expect(second.port).toBe(first.port)
  expect(await query(second.url, 'select id from kept order by id')).toEqual([{ id: 1 }, { id: 2 }])
})

test('stop leaves no process and no listener, and may be called again', async () => {
  const server = await start()
  await server.stop()
  await server.stop()
  expect(isAlive(server.pid)).toBe(false)
  expect(fs.existsSync(path.join(dir, 'postmaster.pid'))).toBe(false)
  await expect(query(server.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('a killed server keeps every committed row, tells its owner and comes back on its port', async () => {
  const first = await start()
  const exit = new Promise((resolve) => first.onExit(resolve))
  const sql = postgres(first.url, { max: 1, onnotice: () => {} })
  await sql`create table committed (id int)`
  for (let id = 1; id <= 200; id++) await sql`insert into committed values (${id})`
  process.kill(first.pid, 'SIGKILL')
  expect(await exit).toEqual({ code: null, signal: 'SIGKILL' })
  await sql.end({ timeout: 0 })

  const second = await start()
  expect(second.port).toBe(first.port)
  expect(await query(second.url, 'select count(*)::int as rows from committed')).toEqual([{ rows: 200 }])
})

test('a wanted stop is not reported as an exit', async () => {
  const server = await start()
  let exits = 0
  server.onExit(() => exits++)
  await server.stop()
  expect(exits).toBe(0)
})

test('two first starts at once share one server', async () => {
  const servers = await Promise.all([start(), start()])
  expect(new Set(servers.map((server) => server.pid)).size).toBe(1)
  expect(servers.filter((server) => server.adopted)).toHaveLength(1)
  for (const server of servers) expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('stopping a shared server leaves it to its owner, whose stop the other sees', async () => {
  const owner = await start()
  const guest = await start()
  const exit = new Promise((resolve) => guest.onExit(resolve))
  const second = await start()
  await second.stop()
  expect(isAlive(owner.pid)).toBe(true)
  await owner.stop()
  expect(await exit).toEqual({ code: null, signal: null })
})

test('a server whose starter is gone is taken over and can be stopped', async () => {
  const first = await start()
  fs.writeFileSync(`${dir}.server`, JSON.stringify({ port: first.port, owner: await pidOfEndedProcess() }))
  const heir = await start()
  expect(heir.adopted).toBe(true)
  await heir.stop()
  await ended(first.pid)
})

test('a port that was asked for and is taken is refused with a way out', async () => {
  const other = net.createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as net.AddressInfo
  await expect(start({ port })).rejects.toThrow(
    new RegExp(`another program listens on port ${port}.*DATABASE_URL`, 's'),
  )
  other.close()
})

test('a folder of another Postgres version is refused and not touched', async () => {
  fs.mkdirSync(dir)
  fs.writeFileSync(path.join(dir, 'PG_VERSION'), '12\n')
  await expect(start()).rejects.toThrow('was written by Postgres 12')
  expect(fs.readdirSync(dir)).toEqual(['PG_VERSION'])
})

test.runIf(process.platform === 'linux')('a server does not outlive a starter that is killed', async () => {
  const starter = spawnStarter(dir)
  const pid = Number(await firstLine(starter))
  expect(isAlive(pid)).toBe(true)
  starter.kill('SIGKILL')
  await ended(pid)
})

function spawnStarter(at: string): ChildProcess {
  const module = path.join(import.meta.dirname, 'index.ts')
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)})
    const server = await startEmbeddedPostgres({ dir: ${JSON.stringify(at)} })
    console.log(server.pid)
    setInterval(() => {}, 1000)`
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [text] = (await once(child.stdout as NodeJS.EventEmitter, 'data')) as [Buffer]
  return text.toString().trim()
}

async function pidOfEndedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0'])
  await once(child, 'exit')
  return child.pid ?? 0
}
