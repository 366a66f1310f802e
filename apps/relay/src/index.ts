export type { AppRouter } from './api/app-router.ts'
