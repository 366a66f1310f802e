import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const relay = process.env.BATON_URL ?? 'http://127.0.0.1:4127'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss()],
  server: {
    host: '127.0.0.1',
    // `vite` alone serves the pages while you edit them; everything else comes from a running relay, which accepts
    // only its own origin.
    proxy: {
      '/trpc': { target: relay, ws: true, changeOrigin: true, headers: { origin: relay } },
      '/api': { target: relay, changeOrigin: true },
    },
  },
  build: {
    target: 'baseline-widely-available',
    sourcemap: true,
    reportCompressedSize: true,
    rolldownOptions: {
      // The pages need the protocol's words, not its zod schemas: without this every schema counts as a side effect.
      // And a module of which one word is used must not bring its schemas: making one (`z.…`) changes nothing.
      treeshake: {
        moduleSideEffects: (id) => !id.includes('/packages/protocol/'),
        manualPureFunctions: ['z'],
      },
    },
  },
})
