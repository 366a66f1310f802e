import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from './button.tsx'
import { copyText } from './copy-text.ts'

type CopyButtonProps = { text: string; label?: string; small?: boolean; bare?: boolean }

/** Says "Copied" for two seconds, or that it could not be. */
export function CopyButton({ text, label = 'Copy', small = true, bare = false }: CopyButtonProps) {
  const [said, setSaid] = useState<string | null>(null)
  useEffect(() => {
    if (said === null) return
    const timer = setTimeout(() => setSaid(null), 2_000)
    return () => clearTimeout(timer)
  }, [said])
  return (
    <Button
      small={small}
      look={bare ? 'bare' : 'plain'}
      icon={said === 'Copied' ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      onClick={() => void copyText(text).then((copied) => setSaid(copied ? 'Copied' : 'Could not copy'))}
    >
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  )
}

/** A command or an address on one line, with its copy button. It scrolls inside itself on narrow screens. */
export function CopyLine({ text }: { text: string }) {
  return (
    <div className="flex max-w-full items-center gap-2 rounded-lg border border-line bg-sunk py-1 pr-1 pl-3">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <code tabIndex={0} className="min-w-0 flex-1 overflow-x-auto font-mono text-[13px] whitespace-nowrap">
        {text}
      </code>
      <CopyButton text={text} bare />
    </div>
  )
}

/** Several lines of code, with its copy button. */
export function CopyBlock({ text }: { text: string }) {
  return (
    <div className="rounded-lg border border-line bg-sunk">
      <div className="flex justify-end border-b border-line">
        <CopyButton text={text} bare />
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        className="max-h-64 overflow-auto p-3 font-mono text-[13px] [overflow-wrap:anywhere] whitespace-pre-wrap"
      >
        {text}
      </pre>
    </div>
  )
}
