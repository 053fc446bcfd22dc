import { join } from 'node:path'
import { PROJECT_FOLDER } from '../test/support/provision/project-folder.js'

export const PROJECT = PROJECT_FOLDER
/** Logs, downloads and other things that can be made again. */
export const CACHE = join(PROJECT, '.cache')
/** Where a missing Consul or engine is a failure rather than a reason to run less. */
export const IS_CI = process.env['CI'] === 'true'

/** Runs a task to its end. What it throws becomes one message and exit code 1. */
export async function runTask(task: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await task()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
