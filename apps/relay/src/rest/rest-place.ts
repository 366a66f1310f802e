import type { OpenApiMeta } from 'trpc-to-openapi'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a procedure says about its place in REST besides what `trpc-to-openapi` reads. */
export type RestMeta = OpenApiMeta & {
  rest?: {
    /** 201 with the `Location` of what was made; its braces name fields of the answer, such as `/jobs/{job.id}`. */
    created?: string
  }
}

/**
 * The place of a procedure below /api/v1, for its `.meta()`: `rest('GET /jobs/{id}', 'One job')`. Path parameters are
 * fields of its input; the rest of the input is the query of a GET or DELETE and the JSON body of the others. The first
 * part of the path is its group in the documentation.
 */
export function rest(
  place: `${Method} /${string}`,
  summary: string,
  options: { created?: string; description?: string } = {},
): RestMeta {
  const [method, path] = place.split(' ') as [Method, `/${string}`]
  return {
    openapi: {
      method,
      path,
      summary,
      tags: [path.split('/')[1] ?? ''],
      ...(options.description && { description: options.description }),
    },
    ...(options.created !== undefined && { rest: { created: options.created } }),
  }
}
