import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the checkout. */
export const PROJECT_FOLDER = fileURLToPath(new URL('../../../', import.meta.url))

/** Where fetched Consul binaries are kept between runs. Not under version control. */
export const CONSUL_CACHE = join(PROJECT_FOLDER, '.cache', 'consul')
