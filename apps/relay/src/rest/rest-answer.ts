/** What is sent, and what is kept of it for whoever asks again. `body` is JSON text; null where there is none. */
export type RestAnswer = { status: number; headers: Record<string, string>; body: string | null }
