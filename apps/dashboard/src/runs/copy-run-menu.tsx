import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { batonCommand } from '../elements/command-line.ts'
import { copyText } from '../elements/copy-text.ts'
import { Menu, MenuItem } from '../elements/menu.tsx'

/** The same run for other tools: command line, SDK, HTTP, or this page. */
export function CopyRunMenu({ runId }: { runId: string }) {
  const { origin } = useApi()
  const [copied, setCopied] = useState<boolean | null>(null)
  useEffect(() => {
    if (copied === null) return
    const timer = setTimeout(() => setCopied(null), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  const label = copied === null ? 'Copy as' : copied ? 'Copied' : 'Could not copy'
  return (
    <Menu label={label} icon={copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}>
      {Object.entries(formsOf(origin, runId)).map(([name, text]) => (
        <MenuItem key={name} onClick={() => void copyText(text).then(setCopied)}>
          {name}
        </MenuItem>
      ))}
    </Menu>
  )
}

function formsOf(origin: string, runId: string): Record<string, string> {
  const input = encodeURIComponent(JSON.stringify({ id: runId }))
  return {
    'Command line': batonCommand(origin, `logs -f ${runId}`),
    SDK: [
      `import { Baton } from '@baton/sdk'`,
      `const baton = new Baton({ url: '${origin}', token: process.env.BATON_TOKEN })`,
      `const run = await baton.raw.runs.get.query({ id: '${runId}' })`,
    ].join('\n'),
    curl: `curl -sS -H "Authorization: Bearer $BATON_TOKEN" '${origin}/trpc/runs.get?input=${input}'`,
    Link: `${origin}/runs/${runId}`,
  }
}
