import type postgres from 'postgres'

/**
 * The schema as SQL-like text in a fixed order, read from the catalogues: what schema.sql holds. (The embedded server
 * comes without pg_dump, and this says the same on every version of Postgres.)
 */
export async function describeSchema(sql: postgres.Sql): Promise<string> {
  const columns = await sql<{ table: string; line: string }[]>`
    select c.relname as table, format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attnotnull then ' not null' else '' end,
      coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migrations'
    order by c.relname, a.attnum`
  const constraints = await sql<{ table: string; line: string }[]>`
    select c.conrelid::regclass::text as table, format('  constraint %I %s', c.conname, pg_get_constraintdef(c.oid)) as line
    from pg_constraint c where c.connamespace = 'public'::regnamespace and c.contype <> 'n'
      and c.conrelid <> 0 and c.conrelid::regclass::text <> 'migrations'
    order by 1, c.conname`
  const rest = await sql<{ line: string }[]>`
    select indexdef || ';' as line from pg_indexes i
    where schemaname = 'public' and tablename <> 'migrations'
      and not exists (select from pg_constraint c where c.conname = i.indexname)
    union all select format('create sequence %I;', sequencename) from pg_sequences where schemaname = 'public'
    union all select pg_get_triggerdef(t.oid) || ';' from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = 'public'::regnamespace and not t.tgisinternal
    union all select pg_get_functiondef(p.oid) || ';' from pg_proc p where p.pronamespace = 'public'::regnamespace
    order by 1`
  const tables = [...new Set(columns.map((column) => column.table))]
  const texts = tables.map((table) => {
    const lines = [...columns, ...constraints].filter((row) => row.table === table).map((row) => row.line)
    return `create table ${table} (\n${lines.join(',\n')}\n);`
  })
  return `${[...texts, ...rest.map((row) => row.line.trim())].join('\n\n')}\n`
}
