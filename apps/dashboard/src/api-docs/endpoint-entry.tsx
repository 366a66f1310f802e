import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { CopyBlock } from '../elements/copy-button.tsx'
import { curlOf } from './curl-of.ts'
import {
  answerOf,
  bodyOf,
  type Endpoint,
  nameOf,
  type OpenApi,
  parametersOf,
  type Schema,
} from './open-api.ts'
import { namesIn, schemaText } from './schema-text.ts'

const LOOKS: Record<string, string> = {
  GET: 'text-accent',
  POST: 'text-good',
  PUT: 'text-warn',
  PATCH: 'text-warn',
  DELETE: 'text-bad',
}

/** One endpoint: a line that opens to its parameters, what goes in, what comes out, and an example. */
export function EndpointEntry({ document, endpoint }: { document: OpenApi; endpoint: Endpoint }) {
  const [isOpen, setOpen] = useState(false)
  const { method, path, operation } = endpoint
  return (
    <details
      id={operation.operationId}
      className="group border-t border-line first:border-t-0"
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-4 py-2.5 hover:bg-hover">
        <ChevronRight
          size={14}
          aria-hidden
          className="shrink-0 self-center text-soft transition-transform group-open:rotate-90"
        />
        <span className={`w-14 shrink-0 font-mono text-xs font-semibold ${LOOKS[method] ?? ''}`}>
          {method}
        </span>
        <code className="min-w-0 font-mono text-[13px] [overflow-wrap:anywhere]">{path}</code>
        <span className="w-full text-soft sm:ml-auto sm:w-auto">{operation.summary}</span>
      </summary>
      {isOpen && <Details document={document} endpoint={endpoint} />}
    </details>
  )
}

function Details({ document, endpoint }: { document: OpenApi; endpoint: Endpoint }) {
  const { origin } = useApi()
  const { operation } = endpoint
  const parameters = parametersOf(document, operation)
  const body = bodyOf(operation)
  const answer = answerOf(operation)
  return (
    <div className="space-y-4 px-4 pt-1 pb-5 sm:pl-11">
      <p>{withCode(operation.description)}</p>
      {parameters.length > 0 && (
        <Part title="Parameters">
          <ul className="space-y-1.5">
            {parameters.map((one) => (
              <li key={`${one.in} ${one.name}`}>
                <code className="font-mono text-[13px] font-semibold">{one.name}</code>{' '}
                <span className="text-soft">
                  {one.in}
                  {one.required ? ', required' : ''}
                </span>{' '}
                <code className="font-mono text-[13px] [overflow-wrap:anywhere]">
                  {schemaText(one.schema)}
                </code>
                {(one.description ?? one.schema.description) && (
                  <span className="block text-soft">{one.description ?? one.schema.description}</span>
                )}
              </li>
            ))}
          </ul>
        </Part>
      )}
      {body && (
        <Part title="Body">
          <SchemaBlock schema={body} document={document} />
        </Part>
      )}
      <Part title={`Answer ${answer.status}${answer.schema?.$ref ? `: ${nameOf(answer.schema.$ref)}` : ''}`}>
        {answer.schema ? <SchemaBlock schema={answer.schema} document={document} /> : <p>Nothing.</p>}
      </Part>
      <Part title="Example">
        <CopyBlock text={curlOf(`${origin}${document.servers[0]?.url ?? ''}`, endpoint)} />
      </Part>
    </div>
  )
}

/** What stands between backticks as code. */
function withCode(text: string) {
  return text.split('`').map((part, at) =>
    at % 2 === 1 ? (
      <code key={part} className="font-mono text-[13px] font-semibold">
        {part}
      </code>
    ) : (
      part
    ),
  )
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section className="min-w-0 space-y-1.5">
      <h3 className="text-[13px] font-semibold tracking-wide text-soft">{title}</h3>
      {children}
    </section>
  )
}

/** A schema, and below it those that it names, each to be opened. */
function SchemaBlock({ schema, document }: { schema: Schema; document: OpenApi }) {
  const shown = schema.$ref ? (document.components.schemas[nameOf(schema.$ref)] ?? schema) : schema
  return (
    <div className="space-y-1">
      <Code text={schemaText(shown)} />
      <Named names={namesIn(shown)} document={document} />
    </div>
  )
}

function Named({ names, document }: { names: string[]; document: OpenApi }) {
  return names.map((name) => <NamedSchema key={name} name={name} document={document} />)
}

function NamedSchema({ name, document }: { name: string; document: OpenApi }) {
  const [isOpen, setOpen] = useState(false)
  const schema = document.components.schemas[name]
  if (!schema) return null
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="py-0.5 font-mono text-[13px] text-accent hover:underline">
        {isOpen ? '▾' : '▸'} {name}
      </summary>
      {isOpen && (
        <div className="space-y-1 border-l-2 border-line pl-3">
          <Code text={schemaText(schema)} />
          <Named names={namesIn(schema).filter((one) => one !== name)} document={document} />
        </div>
      )}
    </details>
  )
}

function Code({ text }: { text: string }) {
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      tabIndex={0}
      className="max-h-96 overflow-auto rounded-lg border border-line bg-sunk p-3 font-mono text-[13px] whitespace-pre"
    >
      {text}
    </pre>
  )
}
