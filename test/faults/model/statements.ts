import * as db from '@baton/db'

/** The statements under test. A mutant replaces some of them. */
export type Statements = Pick<
  typeof db,
  | 'insertEvents'
  | 'leaseDeliveries'
  | 'leaseKnown'
  | 'acceptDeliveries'
  | 'startRuns'
  | 'renewLeases'
  | 'refuseDeliveries'
  | 'settleRuns'
  | 'sweepDeliveries'
  | 'loseDeliveries'
  | 'requestCancel'
  | 'appendRunEvents'
  | 'openMachineSession'
>

export const realStatements: Statements = db

type Patch = { from: string; to: string; uses: number }
const patchesOf = new WeakMap<Statements, Patch[]>()

/** A mutant of one statement: some of its text is replaced wherever it occurs. */
export function mutant(name: keyof Statements, replacements: [from: string, to: string][]): Statements {
  const patches = replacements.map(([from, to]) => ({ from, to, uses: 0 }))
  const real = realStatements[name] as (database: db.Db, ...rest: unknown[]) => unknown
  const patched = (database: db.Db, ...rest: unknown[]) => real(withPatchedSql(database, patches), ...rest)
  const statements = { ...realStatements, [name]: patched }
  patchesOf.set(statements, patches)
  return statements
}

/** Patches whose text no statement has: the mutant is none any more. */
export function unusedPatches(statements: Statements): string[] {
  return (patchesOf.get(statements) ?? []).filter(({ uses }) => uses === 0).map(({ from }) => from)
}

function withPatchedSql(database: db.Db, patches: Patch[]): db.Db {
  const replaceAll = (text: string) =>
    patches.reduce((patched, patch) => {
      if (patched.includes(patch.from)) patch.uses++
      return patched.replaceAll(patch.from, patch.to)
    }, text)
  return database.withPlugin({
    transformQuery({ node }) {
      const raw = node as unknown as {
        kind: string
        sqlFragments?: readonly string[]
        parameters?: readonly unknown[]
      }
      return raw.kind === 'RawNode' ? (patchNode(raw, replaceAll) as typeof node) : node
    },
    transformResult: async ({ result }) => result,
  })
}

/** A statement is text with parameters between; a parameter may be such a piece itself. */
function patchNode(node: unknown, replaceAll: (text: string) => string): unknown {
  const raw = node as { kind?: string; sqlFragments?: readonly string[]; parameters?: readonly unknown[] }
  if (raw?.kind !== 'RawNode') return node
  return {
    ...raw,
    sqlFragments: raw.sqlFragments?.map(replaceAll),
    parameters: raw.parameters?.map((parameter) => patchNode(parameter, replaceAll)),
  }
}
