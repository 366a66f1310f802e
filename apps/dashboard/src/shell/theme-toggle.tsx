import { MonitorCog, Moon, Sun } from 'lucide-react'
import { IconButton } from '../elements/button.tsx'
import { useTheme } from './theme.ts'

const ICONS = { system: MonitorCog, light: Sun, dark: Moon }

export function ThemeToggle() {
  const [theme, next] = useTheme()
  const Icon = ICONS[theme]
  return (
    <IconButton label={`Theme: ${theme}. Change it`} icon={<Icon size={17} aria-hidden />} onClick={next} />
  )
}
