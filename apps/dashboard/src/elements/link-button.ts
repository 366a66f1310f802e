/** The look of a plain button, for links that stand beside buttons. */
export const LINK_BUTTON =
  'inline-flex min-h-9 items-center justify-center gap-1.5 rounded-lg border border-line-strong/60 bg-card px-3 font-medium whitespace-nowrap text-ink transition-colors hover:bg-hover'
/** The same for the one thing that a page is for. */
export const MAIN_LINK =
  'inline-flex min-h-9 items-center justify-center gap-1.5 rounded-lg border border-transparent bg-accent px-3 font-medium whitespace-nowrap text-on-accent hover:opacity-90'
