import type { LiveSource } from '../../live/live-source.js'
import { queryKey } from '../../watch/query-key.js'
import { scopeOf } from '../../watch/read-scope.js'
import type { WatchSnapshot } from '../../watch/watch-query.js'
import { layersLabel } from '../layers/layer.js'
import { CoverReader, FAILURES_OF_THE_WHOLE, type Covered } from './cover-reader.js'
import type { LayerState } from './layer-state.js'
import type { LayerScope, Look, SourceParts } from './source-parts.js'

/**
 * Waits for the layers of one folder with one recursive blocking query. Its answer is one look at the store, so no state is a mix, and
 * the answer that brings the change is the change. `onUnfit` hears, with the state told last, that the layers are better read apart;
 * without it that is put up with.
 */
export function coverSource(
  parts: SourceParts,
  scope: LayerScope,
  coverage: Covered,
  onUnfit?: (told: LayerState | undefined) => void,
): LiveSource<LayerState> {
  const { layers, format, access } = scope
  return {
    label: layersLabel(layers),
    observe(observer) {
      let told: LayerState | undefined
      const tell = ({ value, index = 0, receivedAt }: WatchSnapshot<Look>): void => {
        const { entries, isFiltered, fitness } = value
        if (fitness !== 'denied') {
          told = { entries, isFiltered, index, confirmedAt: receivedAt }
          observer.onValue(told)
        }
        if (fitness !== 'good') onUnfit?.(told)
      }
      // Whoever reads the same shares it.
      const reader = new CoverReader(parts, scope, coverage)
      const paths = layers.map(({ path }) => path)
      const query = {
        key: queryKey(coverage.cover, format, paths, access),
        scope: scopeOf(access),
        read: reader.read.bind(reader),
      }
      return parts.looks.subscribe(query, {
        onValue: tell,
        onRecovery: tell,
        onConfirmed: tell,
        onFailure: (error) => {
          if (onUnfit !== undefined && FAILURES_OF_THE_WHOLE.includes(error.code)) onUnfit(told)
          else observer.onFailure(error)
        },
      })
    },
  }
}
