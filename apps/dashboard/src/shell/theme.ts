import { useEffect, useState } from 'react'

export type Theme = 'system' | 'light' | 'dark'
const THEMES: Theme[] = ['system', 'light', 'dark']
const STORED_AS = 'baton.theme'

/** The chosen theme and the function that takes the next one. public/theme.js applies it before the first paint. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const chosen = document.documentElement.dataset.theme
    return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
  })
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    keep(theme)
  }, [theme])
  return [theme, () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system')]
}

function keep(theme: Theme): void {
  try {
    localStorage.setItem(STORED_AS, theme)
  } catch {
    // Storage is blocked: the choice holds until the page is closed.
  }
}
