import { describe, expect, it } from 'vitest'
import { KvApi } from '../../../../src/api/kv.js'
import { resolveLayers } from '../../../../src/config/layers/layer.js'
import { explainMissingLayers } from '../../../../src/config/source/missing-layers.js'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import { ScriptedHttp } from '../../api/scripted-http.js'

const { signal } = new AbortController()

async function explained(layers: string[], ...answers: string[][]): Promise<string> {
  const http = new ScriptedHttp(...answers.map((names) => ({ body: JSON.stringify(names) })))
  return await explainMissingLayers(new KvApi(http), {}, resolveLayers(layers, false), signal)
}

describe('what is there instead of layers that hold nothing', () => {
  it('is named, with what was probably meant', async () => {
    expect(await explained(['config/oders'], ['config/billing/', 'config/orders/'])).toBe(
      '; beside it there is "config/billing", "config/orders". Did you mean config/orders?',
    )
  })

  it('is said to be a key where that is the mistake', async () => {
    expect(await explained(['config/orders'], ['config/orders', 'config/other/'])).toBe(
      '; "config/orders" is a key and no folder: a document needs its "format"',
    )
  })

  it('is not the layer itself, and nothing where nothing is', async () => {
    expect(await explained(['config/orders'], ['config/orders/'])).toBe('')
    expect(await explained(['config/orders'], [])).toBe('')
  })

  it('is asked for once for each folder, and shortened where it is much', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `config/${'x'.repeat(index + 8)}/`)
    const text = await explained(['config/orders', 'config/users'], names)
    expect(text.match(/ and 2 more/g)).toHaveLength(2)
  })

  it('is left out when it cannot be found out', async () => {
    const request = (): Promise<never> => Promise.reject(new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'denied'))
    const text = await explainMissingLayers(new KvApi({ request }), {}, resolveLayers(['a'], false), signal)
    expect(text).toBe('')
  })
})
