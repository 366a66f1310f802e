import type { ButtonHTMLAttributes, ReactNode } from 'react'

const LOOKS = {
  plain: 'border border-line-strong/60 bg-card hover:bg-hover text-ink',
  main: 'border border-transparent bg-accent text-on-accent hover:opacity-90',
  danger: 'border border-bad/60 bg-card text-bad hover:bg-bad-soft',
  bareDanger: 'border border-transparent text-bad hover:bg-bad-soft',
  bare: 'border border-transparent text-soft hover:bg-hover hover:text-ink',
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: keyof typeof LOOKS
  icon?: ReactNode
  small?: boolean
}

export function Button({
  look = 'plain',
  icon,
  small = false,
  className = '',
  children,
  ...rest
}: ButtonProps) {
  const size = small ? 'min-h-7 px-2 text-[13px]' : 'min-h-9 px-3'
  return (
    <button
      type="button"
      className={`${LOOKS[look]} ${size} inline-flex items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors disabled:opacity-50 ${className}`}
      {...rest}
    >
      {icon}
      {children}
    </button>
  )
}

/** A button that shows only an icon; `label` is its name for everybody else. */
export function IconButton({ label, className = '', ...rest }: ButtonProps & { label: string }) {
  return (
    <Button look="bare" aria-label={label} title={label} className={`min-w-9 px-0 ${className}`} {...rest} />
  )
}
