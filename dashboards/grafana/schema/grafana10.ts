// Grafana from 10.1 on, the first whose @grafana/schema has its panels' types.
import type * as schema from "@grafana/schema"
import type * as bargauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen"
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen"
import type * as timeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen"
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen"
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen"
import type { PrometheusMark } from "./stored"

export interface Grafana {
  board: schema.Dashboard
  row: schema.RowPanel
  panel: schema.Panel
  field: schema.FieldConfig
  variable: schema.VariableModel & { definition?: string } // which Grafana writes, for its list of variables
  annotation: schema.AnnotationQuery & PrometheusMark & { builtIn?: number } // 10.1 writes it, but does not tell
  options: {
    timeseries: timeseries.Options
    stat: stat.Options
    bargauge: bargauge.Options
    table: table.Options
    "state-timeline": timeline.Options
  }
  custom: {
    timeseries: timeseries.FieldConfig
    table: schema.TableFieldOptions
    "state-timeline": timeline.FieldConfig
  }
}
