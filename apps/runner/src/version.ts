/** The version of the `baton` command and of the runner in it. */
export const version = '0.1.0'
