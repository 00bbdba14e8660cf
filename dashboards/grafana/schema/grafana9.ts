// Grafana 9.3. Its @grafana/schema has what panels are made of, but not the
// panels: they are put together here as public/app/plugins/panel/*/models.gen.ts
// of that version does it.
import type * as schema from "@grafana/schema"
import type { PrometheusMark } from "./stored"

type Legend = schema.OptionsWithLegend & schema.OptionsWithTooltip & schema.OptionsWithTimezones

export interface Grafana {
  board: schema.Dashboard
  row: schema.RowPanel
  panel: schema.Panel
  field: schema.FieldConfig
  variable: schema.VariableModel & Record<string, unknown> // it tells of only three fields
  annotation: schema.AnnotationQuery & PrometheusMark
  options: {
    timeseries: Legend
    stat: schema.SingleStatBaseOptions & {
      colorMode: schema.BigValueColorMode
      graphMode: schema.BigValueGraphMode
      justifyMode: schema.BigValueJustifyMode
      textMode: schema.BigValueTextMode
    }
    bargauge: schema.SingleStatBaseOptions & {
      displayMode: schema.BarGaugeDisplayMode
      minVizHeight: number
      minVizWidth: number
      showUnfilled: boolean
    }
    table: { frameIndex: number; showHeader: boolean; sortBy?: schema.TableSortByFieldState[] }
    "state-timeline": Legend & {
      alignValue?: "center" | "left" | "right"
      mergeValues?: boolean
      rowHeight: number
      showValue: schema.VisibilityMode
    }
  }
  custom: {
    timeseries: schema.GraphFieldConfig
    table: schema.TableFieldOptions
    "state-timeline": schema.HideableFieldConfig & { fillOpacity?: number; lineWidth?: number }
  }
}
